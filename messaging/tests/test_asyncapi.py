"""The AsyncAPI document: valid, public, and all that a socket takes and says."""

import ast
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from chatproject.fields import MAX_INTEGER
from chatproject.tests.test_imports import modules
from messaging import asyncapi
from messaging.frames import FRAMES

DOCUMENT = asyncapi.document()
MESSAGES = DOCUMENT["components"]["messages"]
OFFICIAL = Path(__file__).with_name("asyncapi") / "3.0.0.json.gz"
"""From @asyncapi/specs 6.11.1, as it is there."""
ID = "01999999-0000-7000-8000-000000000000"


def test_anybody_gets_it(anybody: httpx.Client):
    answer = anybody.get("/schema/ws")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    served = answer.json()
    assert served.pop("servers") == {
        "here": {**DOCUMENT["servers"]["here"], "host": anybody.base_url.netloc.decode()}
    }
    assert served == {key: part for key, part in DOCUMENT.items() if key != "servers"}


def test_it_is_valid_by_the_official_schema():
    validator = jsonschema_rs.validator_for(json.loads(gzip.decompress(OFFICIAL.read_bytes())))
    assert [str(error) for error in validator.iter_errors(DOCUMENT)] == []
    assert not validator.is_valid({**DOCUMENT, "operations": {"ping": {"action": "tell"}}})


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_whatever_it_refers_to_is_there():
    found = set(references(DOCUMENT))
    assert len(found) > 50
    for reference in found:
        place: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def _kinds(prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in MESSAGES if name.startswith(prefix)}


def test_it_has_every_frame_of_the_table_and_no_other():
    assert _kinds("frame.") == _kinds("ok.") == set(FRAMES) == set(asyncapi.ANSWERS)
    assert set(DOCUMENT["operations"]) == {*FRAMES, "events"}
    for kind in FRAMES:
        assert MESSAGES[f"frame.{kind}"]["payload"]["properties"]["type"]["const"] == kind


DESCRIBERS = {
    "installing",
    "schemas",
    "input_schemas",
    "operations",
    "openapi",
    "asyncapi",
    "reference",
}
NOT_EVENTS = re.compile(r"ok|error|events|(websocket|http|lifespan)\..*")
NAMERS = {"member_changed", "members_changed"}
"""Their first argument is the second half of an event's type."""


def types_made(tree: ast.Module) -> Iterator[str]:
    """``{"type": "typing"}``; a type that is put together has a ``*``: ``message.*``."""
    for node in ast.walk(tree):
        for key, value in zip(*_items(node), strict=True):
            if not (isinstance(key, ast.Constant) and key.value == "type"):
                continue
            if isinstance(value, ast.Constant):
                yield value.value
            elif isinstance(value, ast.JoinedStr):
                yield "".join(getattr(part, "value", "*") for part in value.values[:1]) + "*"


def _items(node: ast.AST) -> tuple[list[Any], list[Any]]:
    return (node.keys, node.values) if isinstance(node, ast.Dict) else ([], [])


def words_put_in(tree: ast.Module) -> Iterator[str]:
    """What takes the place of the ``*``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.args and node.args[0], ast.Constant):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name in NAMERS:
                yield f"member.{node.args[0].value}"
        elif isinstance(node, ast.FunctionDef) and node.name == "_kind":
            texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
            yield from (f"message.{text}" for text in texts)


def test_it_has_every_event_that_the_code_makes_and_no_other():
    trees = [
        ast.parse(path.read_text("utf-8")) for path in modules() if path.stem not in DESCRIBERS
    ]
    made = {kind for tree in trees for kind in types_made(tree) if not NOT_EVENTS.fullmatch(kind)}
    assert {"message.*", "member.*"} < made
    made -= {"message.*", "member.*"}
    made |= {kind for tree in trees for kind in words_put_in(tree)}
    assert made == _kinds("event.") == set(asyncapi.EVENTS)


def accepts(schema: dict[str, Any], value: Any) -> bool:
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return validator.is_valid(value)


def frame_is_taken(kind: str, **fields: Any) -> bool:
    return accepts(MESSAGES[f"frame.{kind}"]["payload"], {"type": kind, **fields})


@pytest.mark.parametrize(
    ("content", "is_taken"),
    [
        ("x", True),
        ("é" * 10_000, True),
        ("x" * 10_001, False),
        (f" {'x' * 10_000}\n", True),
        (f"\x1c{'x' * 10_000}", True),
        ("", False),
        (" \n\u200b", False),
        (None, False),
        (7, False),
    ],
)
def test_a_text_is_bounded_as_the_server_bounds_it(content: Any, is_taken: bool):
    assert frame_is_taken("message.send", chat_id=ID, content=content) == is_taken


@pytest.mark.parametrize(
    ("fields", "is_taken"),
    [
        ({}, True),
        ({"ref": None}, True),
        ({"ref": "r" * 64, "more": [1]}, True),
        ({"ref": "r" * 65}, False),
        ({"ref": ""}, False),
        ({"ref": 7}, False),
    ],
)
def test_any_frame_may_bear_a_ref_and_more(fields: dict[str, Any], is_taken: bool):
    assert frame_is_taken("ping", **fields) == is_taken


@pytest.mark.parametrize(
    ("chats", "is_taken"),
    [
        ({}, True),
        ({ID: 0, ID.replace("9", "A"): MAX_INTEGER}, True),
        ({ID: MAX_INTEGER + 1}, False),
        ({ID: -1}, False),
        ({ID: "1"}, False),
        ({"x": 1}, False),
        ([], False),
    ],
)
def test_sync_takes_versions_by_id(chats: Any, is_taken: bool):
    assert frame_is_taken("sync", chats=chats) == is_taken
