"""Rows that are looked up by several columns each, many at once."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson
from django.db.models import BooleanField, F, Func, Model

MAX_PARTS = 3


class IsListed(Func):
    """Whether a row fits one item of a list, each of which is looked up in an index.

    ``fits`` is SQL over the model's columns in which ``{0:uuid}`` is the first part of an item.
    An ``IN`` a column would look for every combination, and neither database would begin with the
    list if it were free to choose. ``last`` is the last column of a unique index on all that is
    looked up, and the last part of an item what it has: PostgreSQL, which believes that columns
    have nothing to do with each other, could take an index without it and read all that is left.
    """

    output_field = BooleanField()

    def __init__(self, model: type[Model], fits: str, listed: str, last: str = "") -> None:
        super().__init__(F("pk"))
        self.table, self.fits, self.listed, self.last = model._meta.db_table, fits, listed, last

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        items, part = "jsonb_array_elements(%s::jsonb) item", "(item ->> {})::{}"
        found = f"SELECT id FROM {self.table} WHERE {self._fits(part)} OFFSET 0"
        several = f"SELECT found.id FROM {items} CROSS JOIN LATERAL ({found}) found"
        ids = self._next(items, part) if self.last else several
        return self._as_sql(f"= ANY(ARRAY({ids}))", compiler)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        items, part = "json_each(%s) item", "json_extract(item.value, '$[{}]')"
        found = f"CROSS JOIN {self.table} found ON {self._fits(part)}"
        ids = self._next(items, part) if self.last else f"SELECT found.id FROM {items} {found}"
        return self._as_sql(f"IN ({ids})", compiler)

    def _next(self, items: str, part: str) -> str:
        """The next row in the order of the last column is the one, or there is none."""
        wanted = f"{_Part(MAX_PARTS - 1, part):text}"
        found = f"SELECT CASE WHEN {self.last} = {wanted} THEN id END FROM {self.table}"
        after = f"{self._fits(part)} AND {self.last} >= {wanted}"
        return f"SELECT ({found} WHERE {after} ORDER BY {self.last} LIMIT 1) FROM {items}"

    def _fits(self, template: str) -> str:
        return self.fits.format(*(_Part(place, template) for place in range(MAX_PARTS)))

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
