"""Rows that are looked up by several columns each, many at once."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from django.db.models import BooleanField, F, Func, Model


class IsListed(Func):
    """Whether a row fits one item of a list, each of which is looked up in an index.

    ``fits`` is SQL over the model's columns in which ``{0:uuid}`` is the first part of an item.
    An ``IN`` a column would look for every combination, and neither database would begin with the
    list if it were free to choose.
    """

    output_field = BooleanField()

    def __init__(self, model: type[Model], fits: str, listed: str) -> None:
        super().__init__(F("pk"))
        self.table, self.fits, self.listed = model._meta.db_table, fits, listed

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        fits = self._fits("(item ->> {})::{}")
        found = f"SELECT id FROM {self.table} WHERE {fits} OFFSET 0"  # noqa: S608
        rows = f"jsonb_array_elements(%s::jsonb) item CROSS JOIN LATERAL ({found}) found"
        return self._as_sql(f"= ANY(ARRAY(SELECT found.id FROM {rows}))", compiler)  # noqa: S608

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        fits = self._fits("json_extract(item.value, '$[{}]')")
        rows = f"json_each(%s) item CROSS JOIN {self.table} found ON {fits}"
        return self._as_sql(f"IN (SELECT found.id FROM {rows})", compiler)  # noqa: S608

    def _fits(self, template: str) -> str:
        return self.fits.format(*(_Part(place, template) for place in range(3)))

    def _as_sql(self, condition: str, compiler: Any) -> Any:
        key, params = compiler.compile(self.source_expressions[0])
        return f"{key} {condition}", [*params, self.listed]


class _Part:
    """A part of an item, written as its type's name asks for it."""

    def __init__(self, place: int, template: str) -> None:
        self._place, self._template = place, template

    def __format__(self, kind: str) -> str:
        return self._template.format(self._place, kind)


def as_list(items: Iterable[tuple[UUID | int | str, ...]]) -> str:
    """A single parameter, however many there are."""
    return orjson.dumps([[_written(part) for part in item] for item in items]).decode()


def _written(part: UUID | int | str) -> int | str:
    return part.hex if isinstance(part, UUID) else part
