"""Bad input, a line a value: the one error shape, its field named, never a 500, nothing changed."""

from collections.abc import Iterator
from typing import Any

import pytest

from chatproject.testing import Person, Server, error_of

NOBODY = "01a20000-0000-7000-8000-000000000000"
NO_TEXT = (None, 7, 1.5, True, [], {}, ["x"])
BLANK = ("", " ", "\n\t", "\u200b", "\u200b\u200d\u2060\ufeff", " \u2060 ")
HOSTILE = ("nul\x00", "\x00")
NO_IDS = (None, 7, "x", True, {}, [None], [7], ["x"], [[]], [{}], ["' or 1=1"], ["x" * 10_000])
UNKNOWN = ([NOBODY], ["00000000-0000-0000-0000-000000000000"])
NO_CHOICE = (None, 7, True, "", "x", "OWNER", [], {}, ["group"], "\x00")

# Request, a body that would do, the field, and what may not stand in it.
BODIES: list[tuple[str, dict[str, Any], str, tuple[Any, ...]]] = [
    ("POST /chats", {"type": "group", "name": "x"}, "type", (*NO_CHOICE, "Group")),
    ("POST /chats", {"type": "group"}, "name", (*NO_TEXT, *BLANK, *HOSTILE, "x" * 101)),
    ("POST /chats", {"type": "group", "name": "x"}, "members", (*NO_IDS, *UNKNOWN)),
    ("POST /chats", {"type": "group", "name": "x"}, "members", ([NOBODY] * 10_001,)),
    ("POST /chats", {"type": "direct"}, "members", (*NO_IDS, *UNKNOWN, [])),
    ("PATCH /chats/{chat}", {}, "name", (*NO_TEXT, *BLANK, *HOSTILE, "x" * 101)),
    ("PATCH /chats/{chat}", {"name": "y"}, "topic", (*NO_TEXT[1:], *HOSTILE, "x" * 251)),
    ("PATCH /chats/{chat}", {"name": "y"}, "me", (None, 7, "x", [], True)),
    ("PATCH /chats/{chat}", {"name": "y"}, "me", tuple({"notify": bad} for bad in NO_CHOICE)),
    ("PATCH /chats/{chat}", {}, "me", tuple({"pinned": x} for x in (None, 1, "true", "x", []))),
    ("PATCH /chats/{chat}", {}, "me", tuple({"muted_until": x} for x in (7, True, "x", "", []))),
    ("PATCH /chats/{chat}", {}, "me", ({"muted_until": "2026-02-30T00:00:00Z"},)),
    ("PATCH /chats/{chat}", {}, "me", ({"muted_until": "2026-11-22"},)),
    ("PATCH /chats/{chat}", {}, "me", ({"muted_until": "2026-11-22T09:30:00"},)),
    ("PATCH /chats/{chat}", {}, "me", ({"muted_until": "0001-01-01T00:00:00+14:00"},)),
    ("PATCH /chats/{chat}", {}, "me", ({"muted_until": "9999-12-31T23:59:59-14:00"},)),
    ("PATCH /chats/{chat}", {}, "me", ({"pinned": True, "notify": "x"},)),
    ("POST /chats/{chat}/members", {}, "user_ids", (*NO_IDS, *UNKNOWN, [])),
    ("PATCH /chats/{chat}/members/{bob}", {}, "role", NO_CHOICE),
    ("POST /chats/{chat}/read", {}, "seq", (None, "1", 1.0, True, -1, 99, [], {})),
    ("POST /chats/{chat}/unread", {}, "seq", (None, "1", 1.0, True, -1, 0, [], {})),
    ("PATCH /users/me", {"display_name": "y"}, "settings", (None, 7, "x", [], True)),
    ("PATCH /users/me", {"display_name": "y"}, "settings", ({"x": "y" * 4096}, {"a": "\x00"})),
    ("PATCH /users/me", {}, "display_name", (*NO_TEXT, *BLANK, *HOSTILE, "x" * 65)),
    ("PATCH /users/me", {"display_name": "y"}, "email", (*NO_TEXT, *BLANK, "x", "x@", "ö@b.org")),
    ("PATCH /users/me", {"display_name": "y"}, "email", ("a" * 250 + "@b.org", "a\x00@b.org")),
]
MISSING = [
    ("POST /chats", {"name": "x"}, "type"),
    ("POST /chats", {"type": "group"}, "name"),
    ("POST /chats", {"type": "direct"}, "members"),
    ("POST /chats/{chat}/members", {}, "user_ids"),
    ("PATCH /chats/{chat}/members/{bob}", {}, "role"),
    ("POST /chats/{chat}/read", {}, "seq"),
    ("POST /chats/{chat}/unread", {}, "seq"),
]
QUERIES = [
    ("/chats", "limit", ("0", "201", "-1", "x", "", "1e2", "9" * 400, "1.0", " 1", "١")),
    ("/chats/{chat}/members", "limit", ("0", "201", "x")),
    ("/chats/{chat}/members", "cursor", ("x", "é", "x" * 5000)),
    ("/chats/{chat}/messages", "limit", ("0", "201", "x")),
    ("/chats/{chat}/messages", "before", ("0", "-1", "x", "", "9007199254740993", "1.0")),
    ("/chats/{chat}/messages", "after", ("-1", "x", "", "9007199254740993")),
    ("/chats/{chat}/messages", "around", ("-1", "x", "", "9007199254740993")),
    ("/chats/{chat}/changes", "since", ("-1", "x", "", "9007199254740993")),
]


class Stage:
    """Alice's group with Bob in it, for all tests here: none of them changes it."""

    def __init__(self, server: Server) -> None:
        self.alice, self.bob = Person(server, "alice"), Person(server, "bob")
        self.group = self.alice.group_with(self.bob)
        self.names = {"chat": self.group["id"], "bob": self.bob.id}
        self.before = self.state()

    def ask(self, request: str, body: Any) -> Any:
        method, path = request.split(" ", 1)
        return self.alice.rest.request(method, path.format(**self.names), json=body)

    def state(self) -> list[Any]:
        here = f"/chats/{self.group['id']}"
        paths = ("/users/me", "/chats", f"{here}/members", f"{here}/changes?since=0")
        return [self.alice.rest.get(path).json() for path in paths]


@pytest.fixture(scope="module")
def stage(server: Server) -> Iterator[Stage]:
    stage = Stage(server)
    yield stage
    stage.alice.rest.close()
    stage.bob.rest.close()


@pytest.mark.parametrize(
    ("request_", "body", "field", "value"),
    [
        pytest.param(request, body, field, value, id=f"{request} {field} {value!r:.40}")
        for request, body, field, values in BODIES
        for value in values
    ],
)
def test_a_bad_value(stage: Stage, request_: str, body: Any, field: str, value: Any):
    error = error_of(stage.ask(request_, {**body, field: value}), 400)
    assert str(error["attr"]).split(".")[0] == field
    assert stage.state() == stage.before


@pytest.mark.parametrize(("request_", "body", "field"), MISSING)
def test_a_missing_value(stage: Stage, request_: str, body: Any, field: str):
    assert error_of(stage.ask(request_, body), 400)["attr"] == field
    assert stage.state() == stage.before


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [(path, name, value) for path, name, values in QUERIES for value in values],
)
def test_a_bad_query(stage: Stage, path: str, name: str, value: str):
    answer = stage.alice.rest.get(f"{path.format(**stage.names)}?{name}={value}")
    assert error_of(answer, 400)["attr"] == name


@pytest.mark.parametrize(
    "request_",
    [
        *("GET /chats/{}", "PATCH /chats/{}", "DELETE /chats/{}", "GET /chats/{}/members"),
        *("POST /chats/{}/members", "POST /chats/{}/read", "POST /chats/{}/unread"),
        *("GET /chats/{}/messages", "GET /chats/{}/changes?since=0", "GET /users/{}"),
    ],
)
@pytest.mark.parametrize(
    "unknown", [NOBODY, "00000000-0000-0000-0000-000000000000", "x", "%00", "x" * 3000]
)
def test_an_unknown_id_in_a_path(stage: Stage, request_: str, unknown: str):
    error_of(stage.ask(request_.replace("{}", unknown), {}), 404)


def test_settings_with_numbers_beyond_all_bounds_do_no_harm(stage: Stage):
    answer = stage.alice.rest.patch(
        "/users/me",
        content=b'{"settings": {"x": 1e999}}',
        headers={"Content-Type": "application/json"},
    )
    error_of(answer, 400)
    assert stage.state() == stage.before
