"""Input from outside: strict JSON and strict fields, the same at every door."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from chatproject.errors import Invalid
from chatproject.text import HALF_A_PAIR, InvalidText, clean, is_blank, is_encodable

MAX_INTEGER = 2**53
"""The largest number that every JSON reader keeps exact."""
MAX_DEPTH = 16


_DONE_BY_CLEAN = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)


class StrictTextField(serializers.CharField):
    """Text that is kept as sent but for the white space around it; numbers are not text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)
        self.validators = [one for one in self.validators if not isinstance(one, _DONE_BY_CLEAN)]

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


class VersionsField(serializers.DictField):
    """Versions by id."""

    child = StrictIntegerField(min_value=0, max_value=MAX_INTEGER)
    default_error_messages = {"invalid": "An id and a version each."}

    def run_child_validation(self, data: Mapping[str, Any]) -> dict[Any, int]:
        ids = StrictUUIDField()
        try:
            return {ids.run_validation(key): self.child.run_validation(data[key]) for key in data}
        except serializers.ValidationError:
            self.fail("invalid")


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
        return _parse_unbounded(body)


def _parse_unbounded(body: bytes | str) -> Any:
    """Takes half a surrogate pair and an endless number, too: the bounds name their field."""
    try:
        text = body.decode() if isinstance(body, bytes) else body
        return json.loads(text, parse_int=float, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise Invalid("This is not JSON.", code="parse_error") from None


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def check_bounds(value: Any) -> None:
    """Raises Invalid, which names the field, for what is JSON and yet too much.

    That is over 16 levels, a number beyond 53 bits, and half a surrogate pair.
    """
    if not isinstance(value, dict):
        _check_bounds(value, MAX_DEPTH, None)
        return
    for name, item in value.items():
        _check_bounds(name, MAX_DEPTH, None)
        _check_bounds(item, MAX_DEPTH - 1, name)


def _check_bounds(value: Any, depth: int, attr: str | None) -> None:
    if isinstance(value, dict | list):
        if depth == 0:
            sentence = f"This JSON is nested deeper than {MAX_DEPTH} levels."
            raise Invalid(sentence, code="parse_error", attr=attr)
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_bounds(item, depth - 1, attr)
    elif isinstance(value, str):
        if not is_encodable(value):
            code, sentence = HALF_A_PAIR
            raise Invalid(sentence, code=code, attr=attr)
    elif isinstance(value, int | float) and abs(value) > MAX_INTEGER:
        raise Invalid("A number is too large.", code="parse_error", attr=attr)


def checked_input(serializer: type[serializers.Serializer[Any]], given: Any) -> dict[str, Any]:
    """What a serializer makes of it. Raises Invalid or ValidationError, which name the field."""
    if not isinstance(given, dict):
        raise Invalid("This has to be a JSON object.")
    found: dict[str, Any] = _reader(serializer).run_validation(given)
    return found


@cache
def _reader(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One for all that is ever read: a new one copies all of its fields, which takes longer than
    to read with it. Reading changes nothing in it."""
    return serializer()
