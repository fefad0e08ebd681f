"""Rows known by several columns at once."""

from collections.abc import Collection
from typing import Any

from django.db.models import BooleanField, Func


class IsOneOf(Func):
    """Whether some columns of a row are, together, one of these.

    Each is one look into an index, where an ``IN`` a column would look for every combination.
    """

    output_field = BooleanField()

    def __init__(self, *columns: str, among: Collection[tuple[Any, ...]]) -> None:
        super().__init__(*columns)
        self.among = among

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        found = self.source_expressions
        columns = ", ".join(compiler.compile(one)[0] for one in found)
        preparers = [one.output_field.get_db_prep_value for one in found]
        row = f"({', '.join(['%s'] * len(found))})"
        params = [
            prepare(value, connection)
            for values in self.among
            for prepare, value in zip(preparers, values, strict=True)
        ]
        return f"({columns}) IN (VALUES {', '.join([row] * len(self.among))})", params
