"""How REST reads, pages and answers here: the classes that the settings name."""

import re
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from chatproject.errors import Invalid
from chatproject.fields import MAX_INTEGER, parse_json
from chatproject.text import InvalidText, clean


def integer_parameter(
    request: Request, name: str, *, low: int, high: int = MAX_INTEGER
) -> int | None:
    """An integer of the query string; None if it is not there. Raises Invalid."""
    value = request.query_params.get(name)
    if value is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,17}", value) or not low <= int(value) <= high:
        raise Invalid(f"A whole number from {low} to {high}.", attr=name)
    return int(value)


def text_parameter(request: Request, name: str) -> str:
    """A text of the query string; "" if it is not there. Raises Invalid."""
    try:
        return clean(request.query_params.get(name, ""))
    except InvalidText as error:
        raise Invalid(error.sentence, code=error.code, attr=name) from None


def limit_parameter(request: Request) -> int:
    return integer_parameter(request, "limit", low=1, high=200) or 50


class Cursor(CursorPagination):
    """Pages of any list: ``results``, ``next``, ``previous``."""

    page_size = 50
    offset_cutoff = 20_000
    """How many rows may share a position: a whole group can have joined in one moment."""

    def get_page_size(self, request: Request) -> int:
        return limit_parameter(request)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        self._field = queryset.model._meta.get_field(self.ordering[0].lstrip("-"))
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Any:
        try:
            cursor = super().decode_cursor(request)
            if cursor and cursor.position is not None:
                self._check_position(clean(str(cursor.position)))
        except Exception:
            raise Invalid("That is no cursor of this list.", attr="cursor") from None
        return cursor

    def _check_position(self, position: str) -> None:
        """Anybody can make a cursor: what the database can't compare with is none."""
        value = self._field.to_python(position)
        if isinstance(value, datetime):
            value.astimezone(UTC)  # else the first hours of the calendar fail on SQLite alone
        self._field.get_db_prep_value(value, connection)


class OrjsonRenderer(JSONRenderer):
    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class JSONOnly(DefaultContentNegotiation):
    """Answers in JSON whatever the client says that it accepts."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class BoundedJSONParser(JSONParser):
    """JSON of at most 1 MiB and 16 levels, integers within 53 bits."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return parse_json(stream.read())
