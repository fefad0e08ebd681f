"""What the OpenAPI document says of an operation, written where the operation is done."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rest_framework import serializers

from chatproject.fields import MAX_INTEGER
from chatproject.schemas import Schema, list_of, nullable, object_of, ref

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Parameter:
    """One of the query string."""

    name: str
    text: str
    schema: Schema
    is_required: bool = False


@dataclass(frozen=True)
class Operation:
    summary: str
    text: str
    body: type[serializers.Serializer[Any]] | None
    parameters: tuple[Parameter, ...]
    answers: Mapping[int, Schema | None]
    errors: frozenset[int]


def operation(
    summary: str,
    *,
    answers: Mapping[int, Schema | None],
    errors: Iterable[int] = (),
    body: type[serializers.Serializer[Any]] | None = None,
    parameters: Iterable[Parameter] = (),
    text: str = "",
) -> Callable[[Method], Method]:
    """Describes a view's method: ``answers`` by status, None for those without a body.

    ``errors`` names what cannot be seen from outside; what follows from the address, the body
    or signing in is added by ``chatproject.openapi``.
    """
    described = Operation(summary, text, body, tuple(parameters), answers, frozenset(errors))

    def attach(method: Method) -> Method:
        method.operation = described  # type: ignore[attr-defined]
        return method

    return attach


def operation_of(view: Any, method: str) -> Operation | None:
    return getattr(getattr(view, method.lower(), None), "operation", None)


def whole_number(low: int, high: int = MAX_INTEGER) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


LIMIT = Parameter("limit", "How many at most.", {**whole_number(1, 200), "default": 50})
CURSOR = Parameter("cursor", "As `next` and `previous` have it.", {"type": "string"})
PAGED = (LIMIT, CURSOR)


def page_of(name: str) -> Schema:
    """A page of a list, with the addresses of its neighbours."""
    address = nullable({"type": "string", "format": "uri"})
    return object_of(results=list_of(ref(name)), next=address, previous=address)
