"""Holds every REST answer that a test gets against the OpenAPI document."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx
import jsonschema_rs
import orjson

ERROR = {"$ref": "#/components/schemas/Error"}
BEFORE_THE_METHOD = {401, 403, 405, 413}
"""What an address may answer to a method that it lacks."""
ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def check_response(response: httpx.Response) -> None:
    """An event hook of httpx: fails the test whose answer breaks the contract."""
    response.read()
    request = response.request
    path = request.url.raw_path.decode().partition("?")[0]
    check_answer(request.method, path, response.status_code, response.headers, response.content)


HOOKS = {"response": [check_response]}
"""``httpx.Client(event_hooks=HOOKS)``"""


def check_answer(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Raises AssertionError unless the document has this answer.

    Pages, which answer in HTML, are none of its business.
    """
    room = unquote(path).strip("/").split("/")[0]
    if room not in _rooms() or (room == "docs" and status in (200, 405)) or method == "OPTIONS":
        return
    fault = _fault(method, unquote(path), status, headers, body)
    assert fault is None, f"{method} {path} answered {status}: {fault}. {body[:500]!r}"


def _fault(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> str | None:
    template = _template(path)
    is_declared, schema = _declared(template, _read_as(method), status)
    if not is_declared:
        return f"the document has no such answer of {template or 'an unknown address'}"
    if schema is None:
        return "this answer has no body" if body else None
    if headers["content-type"] != "application/json":
        return f"it is {headers['content-type']}"
    return None if method == "HEAD" else _fault_of(orjson.dumps(schema), body)


def _read_as(method: str) -> str:
    return "get" if method == "HEAD" else method.lower()


def _declared(template: str | None, method: str, status: int) -> tuple[bool, Any]:
    """Whether the document has such an answer, and the schema of its body."""
    if template is None:
        return status in (404, 413), ERROR
    operation = _document()["paths"][template].get(method)
    if operation is None:
        return status in BEFORE_THE_METHOD, ERROR
    answer = operation["responses"].get(str(status))
    if answer is None:
        # Before the address is looked at.
        return status == 413, ERROR
    if "$ref" in answer:
        answer = _document()["components"]["responses"][answer["$ref"].split("/")[-1]]
    return True, answer.get("content", {}).get("application/json", {}).get("schema")


def _fault_of(schema: bytes, body: bytes) -> str | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "its body is not JSON"
    for error in _validator(schema).iter_errors(found):
        return f"{'.'.join(map(str, error.instance_path)) or 'it'}: {error.message}"
    return None


@cache
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    whole = orjson.loads(schema) | {"components": _document()["components"]}
    return jsonschema_rs.Draft202012Validator(closed(whole), validate_formats=True)


def closed(schema: Any) -> Any:
    """The same without room for the fields of later releases: this one has to describe its own."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    lid = {"additionalProperties": False} if isinstance(schema.get("required"), list) else {}
    return lid | {key: closed(value) for key, value in schema.items()}


@cache
def _template(path: str) -> str | None:
    """The path as the document writes it; None if it has none like this."""
    return next((template for template, way in _ways() if way.fullmatch(path)), None)


@cache
def _ways() -> list[tuple[str, re.Pattern[str]]]:
    """The plain ones first: ``/users/me`` is no id."""
    return [
        (
            template,
            re.compile(re.sub(r"{\w+_id}", ID, re.sub(r"{(?!\w+_id)\w+}", "[^/]+", template))),
        )
        for template in sorted(_document()["paths"], key=lambda template: template.count("{"))
    ]


@cache
def _rooms() -> frozenset[str]:
    from chatproject.api import API_ROOMS

    return frozenset(API_ROOMS)


@cache
def _document() -> dict[str, Any]:
    from messaging.openapi import document

    return document()
