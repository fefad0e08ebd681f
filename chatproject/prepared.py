"""Queries that many requests ask: their SQL is made once."""

import copy
import inspect
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from secrets import randbits
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import BigIntegerField, BooleanField, F, Func, UUIDField

from chatproject.ids import new_id

Q = TypeVar("Q", bound=Callable[..., Any])


def prepared(build: Q) -> Q:
    """For a function from ids, numbers, texts and lists of ids to a QuerySet, read as it is.

    Django takes longer to write most SQL than a database to answer it. So it is written once, for
    samples, and asked with other values in their places. What the function does may depend on
    nothing else; nothing that would change the query (``filter``, ``first``) can be asked of what
    it returns.
    """
    plan = _Plan(build)

    @wraps(build)
    def ask(*values: Any) -> Any:
        return plan.asked(values)

    return ask  # type: ignore[return-value]


class Among(Func):
    """Whether a field has one of these ids: a single parameter, however many there are."""

    output_field = BooleanField()

    def __init__(self, field: str, ids: Sequence[UUID | str]) -> None:
        super().__init__(F(field))
        self.ids = ids

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self._with_ids("{} = ANY(%s::uuid[])", compiler, connection)

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self._with_ids("{} IN (SELECT value FROM json_each(%s))", compiler, connection)

    def _with_ids(self, template: str, compiler: Any, connection: Any) -> Any:
        field, params = compiler.compile(self.source_expressions[0])
        return template.format(field), [*params, _as_parameter(self.ids, connection)]


def _as_parameter(ids: Sequence[UUID | str], connection: Any) -> str:
    """Texts are ids as that very database has written them."""
    keys = [key.hex if isinstance(key, UUID) else key for key in ids]
    if connection.vendor == "postgresql":
        return f"{{{','.join(keys)}}}"
    return orjson.dumps(keys).decode()


class _Kind(NamedTuple):
    """A sample of its own for each place, and how a value reaches the database."""

    sample: Callable[[], Any]
    adapt: Callable[[Any, Any], Any]


_KINDS = {
    UUID: _Kind(new_id, UUIDField().get_db_prep_value),
    str: _Kind(lambda: new_id().hex, lambda value, _: value),
    int: _Kind(lambda: randbits(60), BigIntegerField().get_db_prep_value),
    list[UUID]: _Kind(lambda: [new_id()], _as_parameter),
    list[str]: _Kind(lambda: [new_id().hex], _as_parameter),
}


class _Plan:
    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build
        named = inspect.signature(build).parameters.values()
        self._kinds = [_KINDS[one.annotation] for one in named]

    @cached_property
    def _made(self) -> tuple[Any, Any, str, list[Any], list[tuple[int, int]]]:
        samples = [kind.sample() for kind in self._kinds]
        queryset = self._build(*samples)
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([one[0] for one in compiler.select])
        compiler.get_converters = lambda _: converters
        adapted = [self._adapt(place, sample) for place, sample in enumerate(samples)]
        places = [(at, adapted.index(param)) for at, param in enumerate(params) if param in adapted]
        assert {place for _, place in places} == set(range(len(samples)))
        return queryset, compiler, sql, list(params), places

    def _adapt(self, place: int, value: Any) -> Any:
        return self._kinds[place].adapt(value, connection)

    def asked(self, values: Sequence[Any]) -> Any:
        queryset, compiler, sql, params, places = self._made
        params = params.copy()
        for at, place in places:
            params[at] = self._adapt(place, values[place])
        compiler, query = copy.copy(compiler), copy.copy(queryset.query)
        compiler.connection = connection
        compiler.as_sql = lambda: (sql, params)
        query.get_compiler = lambda *_, **__: compiler
        found = type(queryset)(queryset.model, query)
        found._iterable_class, found._fields = queryset._iterable_class, queryset._fields
        return found
