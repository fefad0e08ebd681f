"""Values as the protocol writes them, made by the database itself."""

from typing import Any

from django.db.models import DateTimeField, F, Func, JSONField, TextField, UUIDField


class Written(Func):
    """An id, a moment or JSON of a row as the text that goes out.

    Where there are many rows, making objects of them and text of these takes most of the time.
    """

    output_field = TextField()

    def __init__(self, field: str) -> None:
        super().__init__(F(field))

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self._as(POSTGRESQL, compiler)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self._as(SQLITE, compiler)

    def _as(self, templates: dict[type, str], compiler: Any) -> Any:
        (source,) = self.source_expressions
        field = getattr(source.output_field, "target_field", source.output_field)
        sql, params = compiler.compile(source)
        assert not params
        return templates[type(field)].format(sql), []


POSTGRESQL = {
    UUIDField: "{0}::text",
    DateTimeField: """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    JSONField: "{0}::text",
}
# Stored are 32 digits, and a moment in UTC that leaves out its fraction where that is zero.
SQLITE = {
    UUIDField: "substr({0}, 1, 8) || '-' || substr({0}, 9, 4) || '-' || substr({0}, 13, 4)"
    " || '-' || substr({0}, 17, 4) || '-' || substr({0}, 21)",
    DateTimeField: "substr({0}, 1, 10) || 'T' || substr({0}, 12, 8) || '.'"
    " || substr({0} || '.000000', 21, 6) || 'Z'",
    JSONField: "{0}",
}
