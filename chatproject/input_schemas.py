"""What a serializer takes, as JSON Schema: never stricter than the server itself."""

from functools import singledispatch
from typing import Any

from rest_framework import serializers

from chatproject.fields import (
    StrictIntegerField,
    StrictTextField,
    StrictUUIDField,
    VersionsField,
    VisibleTextField,
)
from chatproject.schemas import TEXT, UUID, Schema, list_of, nullable, one_of

VISIBLE = r"[^\s\u200b-\u200d\u2060\ufeff]"
_SPACE_AROUND = {
    "description": "White space around it is taken off before it is counted.",
    "pattern": r"^[\s\x1c-\x1f\x85]|[\s\x1c-\x1f\x85]$",
}


def input_schema(serializer: type[serializers.Serializer[Any]]) -> Schema:
    """What the server takes. Properties that it does not know are ignored, so it is open."""
    return _schema(serializer())


def _schema(field: serializers.Field) -> Schema:
    schema = _shape(field)
    return nullable(schema) if field.allow_null else schema


@singledispatch
def _shape(field: Any) -> Schema:
    raise NotImplementedError(f"How does JSON Schema say {field!r}?")


@_shape.register
def _(field: serializers.Serializer) -> Schema:
    fields = field.fields.items()
    return {
        "type": "object",
        "properties": {name: _schema(child) for name, child in fields},
        "required": [name for name, child in fields if child.required],
    }


@_shape.register
def _(field: StrictTextField) -> Schema:
    longest = {"maxLength": field.max_length}
    bound = longest if field.keeps_space else {"anyOf": [longest, _SPACE_AROUND]}
    return {**TEXT, "minLength": 1, **bound}


@_shape.register
def _(field: VisibleTextField) -> Schema:
    return {**_shape.dispatch(StrictTextField)(field), "pattern": VISIBLE}


@_shape.register
def _(field: StrictUUIDField) -> Schema:
    return UUID


@_shape.register
def _(field: StrictIntegerField) -> Schema:
    return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}


@_shape.register
def _(field: serializers.ChoiceField) -> Schema:
    return one_of(field.choices)


@_shape.register
def _(field: serializers.ListField) -> Schema:
    return {**list_of(_schema(field.child)), "maxItems": field.max_length}


@_shape.register
def _(field: VersionsField) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"format": "uuid"},
        "additionalProperties": _schema(field.child),
    }
