"""Input from outside: strict JSON and strict fields, the same at every door."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from rest_framework import serializers

from chatproject.errors import Invalid
from chatproject.text import InvalidText, clean, is_blank

MAX_INTEGER = 2**53
"""The largest number that every JSON reader keeps exact."""
MAX_DEPTH = 16


class StrictTextField(serializers.CharField):
    """Text that is kept as sent but for the white space around it; numbers are not text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    keeps_space = False

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str):
            try:
                cleaned = clean(data)
                data = data if self.keeps_space else cleaned
            except InvalidText as error:
                raise serializers.ValidationError(str(error), code=error.code) from None
        elif data is not serializers.empty and data is not None:
            self.fail("invalid")
        return super().run_validation(data)


class ExactTextField(StrictTextField):
    """Text that stands for something: kept to the letter."""

    keeps_space = True


class VisibleTextField(StrictTextField):
    """Text for people: what looks empty counts as empty."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        is_invisible = isinstance(data, str) and is_blank(data)
        return super().run_validation("" if is_invisible else data)


class AnyTextField(serializers.Field[Any, Any, Any, Any]):
    """A text of which nothing is asked."""

    default_error_messages = {"invalid": "Not a valid string."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class StrictIntegerField(serializers.IntegerField):
    """A JSON integer: no text, no boolean, no fraction."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class StrictBooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class StrictTimeField(serializers.DateTimeField):
    """A moment as RFC 3339 writes it, with its offset."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not _RFC3339.fullmatch(data):
            self.fail("invalid", format="RFC 3339")
        return super().to_internal_value(data)


_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)


class StrictUUIDField(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or (found := parse_uuid(data)) is None:
            self.fail("invalid", value=data)
        return found


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def parse_uuid(value: str) -> UUID | None:
    return UUID(value) if _UUID.fullmatch(value) else None


def parse_json(body: bytes | str) -> Any:
    """Reads JSON from outside; raises Invalid for what no client may send."""
    value = parse_any_json(body)
    check_bounds(value)
    return value


def parse_any_json(body: bytes | str) -> Any:
    """The same without its bounds, for who has to look inside before complaining."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Invalid("This is not JSON.", code="parse_error") from None


def check_bounds(value: Any, depth: int = MAX_DEPTH) -> None:
    """Raises Invalid beyond 16 levels, or for an integer beyond 53 bits."""
    if isinstance(value, dict | list):
        if depth == 0:
            raise Invalid("This JSON is nested deeper than 16 levels.", code="parse_error")
        for item in value.values() if isinstance(value, dict) else value:
            check_bounds(item, depth - 1)
    elif type(value) is int and abs(value) > MAX_INTEGER:
        raise Invalid("A number is too large.", code="parse_error")


def checked_input(serializer: type[serializers.Serializer[Any]], given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Invalid("This has to be a JSON object.")
    reader = serializer(data=given)
    reader.is_valid(raise_exception=True)
    return reader.validated_data
