"""What a serializer takes, as JSON Schema: never stricter than the server itself."""

import re
from functools import singledispatch
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from chatproject.fields import (
    AnyTextField,
    ExactTextField,
    StrictBooleanField,
    StrictIntegerField,
    StrictTextField,
    StrictTimeField,
    StrictUUIDField,
    VersionsField,
    VisibleTextField,
)
from chatproject.schemas import BOOLEAN, TEXT, UUID, Schema, list_of, nullable, one_of

_VISIBLE = r"[^\s\u200b-\u200d\u2060\ufeff]"
_SPACE_AROUND = {
    "description": "White space around it is taken off before it is looked at.",
    "pattern": r"^[\s\x1c-\x1f\x85]|[\s\x1c-\x1f\x85]$",
}


def input_schema(serializer: type[serializers.Serializer[Any]]) -> Schema:
    """What the server takes. Properties that it does not know are ignored, so it is open."""
    return _schema(serializer())


def _schema(field: serializers.Field) -> Schema:
    schema = _shape(field)
    schema = {**schema, "description": field.help_text} if field.help_text else schema
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
def _(field: AnyTextField) -> Schema:
    return TEXT


@_shape.register
def _(field: ExactTextField) -> Schema:
    return {**TEXT, "minLength": 1, "maxLength": field.max_length}


@_shape.register
def _(field: StrictTextField) -> Schema:
    shortest = 0 if field.allow_blank else field.min_length or 1
    bounds: Schema = {"minLength": shortest, "maxLength": field.max_length}
    for rule in field.validators:
        if isinstance(rule, RegexValidator):
            bounds["pattern"] = re.compile(rule.regex).pattern.replace(r"\Z", "$")
    return {**TEXT, "anyOf": [bounds, _SPACE_AROUND]}


@_shape.register
def _(field: VisibleTextField) -> Schema:
    shape = _shape.dispatch(StrictTextField)(field)
    return shape if field.allow_blank else {**shape, "pattern": _VISIBLE}


@_shape.register
def _(field: StrictUUIDField) -> Schema:
    return UUID


@_shape.register
def _(field: StrictTimeField) -> Schema:
    return {**TEXT, "format": "date-time"}


@_shape.register
def _(field: StrictBooleanField) -> Schema:
    return BOOLEAN


@_shape.register
def _(field: StrictIntegerField) -> Schema:
    return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}


@_shape.register
def _(field: serializers.ChoiceField) -> Schema:
    return one_of(field.choices)


@_shape.register
def _(field: serializers.ListField) -> Schema:
    shortest = {"minItems": field.min_length} if field.min_length else {}
    return {**list_of(_schema(field.child)), **shortest, "maxItems": field.max_length}


@_shape.register
def _(field: VersionsField) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"format": "uuid"},
        "additionalProperties": _schema(field.child),
    }


@_shape.register
def _(field: serializers.JSONField) -> Schema:
    return {"type": "object"}
