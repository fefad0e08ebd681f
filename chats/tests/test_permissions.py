"""Who may do what: the table of the protocol, a row a route."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from chatproject.api import API_ROOMS
from chatproject.ids import new_id
from chatproject.testing import Server, error_of
from chats.tests.scenes import ROLES, Scene, filled, set_up, set_up_with_all

NAME, TOPIC, ME = {"name": "New"}, {"topic": "New"}, {"me": {"pinned": True}}
# What each of the roles above gets.
TABLE: list[tuple[str, Any, tuple[int, int, int, int, int]]] = [
    ("GET /chats/{chat}", None, (404, 404, 200, 200, 200)),
    ("PATCH /chats/{chat}", NAME, (404, 404, 403, 200, 200)),
    ("PATCH /chats/{chat}", TOPIC, (404, 404, 403, 200, 200)),
    ("PATCH /chats/{chat}", ME, (404, 404, 200, 200, 200)),
    ("PATCH /chats/{chat}", NAME | ME, (404, 404, 403, 200, 200)),
    ("DELETE /chats/{chat}", None, (404, 404, 403, 403, 204)),
    ("GET /chats/{chat}/members", None, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/members", {"user_ids": ["{newcomer}"]}, (404, 404, 403, 200, 200)),
    ("POST /chats/{chat}/members", {"user_ids": ["{plain}"]}, (404, 404, 403, 200, 200)),
    ("PATCH /chats/{chat}/members/{plain}", {"role": "admin"}, (404, 404, 403, 403, 200)),
    ("PATCH /chats/{chat}/members/{self}", {"role": "owner"}, (404, 404, 403, 403, 200)),
    ("PATCH /chats/{chat}/members/{an_admin}", {"role": "member"}, (404, 404, 403, 403, 200)),
    ("PATCH /chats/{chat}/members/{an_owner}", {"role": "member"}, (404, 404, 403, 403, 200)),
    ("DELETE /chats/{chat}/members/{plain}", None, (404, 404, 403, 204, 204)),
    ("DELETE /chats/{chat}/members/{an_admin}", None, (404, 404, 403, 403, 204)),
    ("DELETE /chats/{chat}/members/{an_owner}", None, (404, 404, 403, 403, 204)),
    ("DELETE /chats/{chat}/members/{self}", None, (404, 404, 204, 204, 204)),
    ("GET /chats/{chat}/messages", None, (404, 404, 200, 200, 200)),
    ("GET /chats/{chat}/changes?since=0", None, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/messages", {"content": "x"}, (404, 404, 201, 201, 201)),
    ("PATCH /chats/{chat}/messages/{theirs}", {"content": "x"}, (404, 404, 403, 403, 403)),
    ("DELETE /chats/{chat}/messages/{theirs}", None, (404, 404, 403, 204, 204)),
    ("PUT /chats/{chat}/messages/{theirs}/reactions/👍", None, (404, 404, 200, 200, 200)),
    ("DELETE /chats/{chat}/messages/{theirs}/reactions/👍", None, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/read", {"seq": 1}, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/unread", {"seq": 1}, (404, 404, 200, 200, 200)),
    ("GET /users/{plain}", None, (200, 200, 200, 200, 200)),
]


@pytest.fixture
def scene(server: Server) -> Iterator[Scene]:
    """A scene of a test's own, for what changes something."""
    yield from set_up(server)


@pytest.fixture(scope="module")
def shared_scene(server: Server) -> Iterator[Scene]:
    """For what changes nothing."""
    yield from set_up_with_all(server)


def test_the_scene_is_as_the_table_takes_it(scene: Scene):
    members = scene.ask("owner", "GET /chats/{chat}/members", None).json()["results"]
    by_id = {member["user"]["id"]: member["role"] for member in members}
    assert [by_id.get(scene.people[role].id) for role in ROLES] == [
        *(None, None, "member", "admin", "owner")
    ]
    assert [by_id[scene.names[name]] for name in ("plain", "an_admin", "an_owner")] == [
        *("member", "admin", "owner")
    ]


CELLS = [
    pytest.param(role, request, body, status, id=f"{role} {request} {body or ''}")
    for request, body, statuses in TABLE
    for role, status in zip(ROLES, statuses, strict=True)
]
REFUSED = [cell for cell in CELLS if cell.values[3] >= 400]
ALLOWED = [cell for cell in CELLS if cell not in REFUSED]
# After these the scene is another.
LASTING = [cell for cell in ALLOWED if re.match("DELETE|.*/members", cell.values[1])]


@pytest.mark.parametrize(
    ("role", "request_", "body", "status"), [cell for cell in ALLOWED if cell not in LASTING]
)
def test_who_may_do_it_does_it(
    shared_scene: Scene, role: str, request_: str, body: Any, status: int
):
    assert shared_scene.ask(role, request_, body).status_code == status


@pytest.mark.parametrize(("role", "request_", "body", "status"), LASTING)
def test_who_may_change_who_is_there_does(
    scene: Scene, role: str, request_: str, body: Any, status: int
):
    answer = scene.ask(role, request_, body)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("role", "request_", "body", "status"), REFUSED)
def test_who_may_not_changes_nothing(
    shared_scene: Scene, role: str, request_: str, body: Any, status: int
):
    before = shared_scene.state()
    answer = shared_scene.ask(role, request_, body)
    code = {403: "permission_denied", 404: "not_found"}[status]
    assert error_of(answer, status)["code"] == code
    assert shared_scene.state() == before


@pytest.mark.parametrize("role", ["stranger", "former"])
def test_what_is_not_ones_own_looks_as_if_it_were_not_there(shared_scene: Scene, role: str):
    nowhere = shared_scene._replace(names={**shared_scene.names, "chat": str(new_id())})
    for request, body, _ in TABLE:
        here, there = (one.ask(role, request, body) for one in (shared_scene, nowhere))
        assert (here.status_code, here.content) == (there.status_code, there.content)


def requests_of(table: list[Any]) -> set[tuple[str, str]]:
    """The routes that a table asks, and by which methods."""
    some_id = "00000000-0000-7000-8000-000000000000"
    asked = [re.sub(r"{\w+}", some_id, row[0]).partition("?")[0].split(" ", 1) for row in table]
    return {(resolve(path).route, method) for method, path in asked}


def routes_with_ids(patterns: list[Any]) -> Iterator[tuple[str, str]]:
    for one in patterns:
        if isinstance(one, URLResolver) and not str(one.pattern):
            yield from routes_with_ids(one.url_patterns)
        elif "<" in str(one.pattern) and str(one.pattern).split("/")[0] in API_ROOMS:
            yield from ((str(one.pattern), method) for method in methods_of(one))


def methods_of(route: URLPattern) -> list[str]:
    view = route.callback.view_class
    return [
        name for name in ("GET", "POST", "PUT", "PATCH", "DELETE") if hasattr(view, name.lower())
    ]


def test_every_route_that_takes_an_id_is_in_the_table():
    routes = set(routes_with_ids(get_resolver().url_patterns))
    assert len(routes) > 15
    assert requests_of(TABLE) == routes


@pytest.mark.parametrize(("request_", "body"), [(row[0], row[1]) for row in TABLE])
def test_who_is_not_or_no_longer_signed_in_gets_nothing(
    shared_scene: Scene, anybody: httpx.Client, request_: str, body: Any
):
    before = shared_scene.state()
    method, path = filled(request_, {**shared_scene.names, "self": str(new_id())}).split(" ", 1)
    answers = [
        shared_scene.ask("deactivated", request_, body),
        anybody.request(method, path, json=filled(body, shared_scene.names)),
    ]
    for answer in answers:
        assert error_of(answer, 401)["code"] == "not_authenticated"
    assert shared_scene.state() == before


# A message of a chat that one is not in, named as one of a chat that one owns.
ELSEWHERE = {
    "PATCH /chats/{own}/messages/{elsewhere}": {"content": "x"},
    "DELETE /chats/{own}/messages/{elsewhere}": None,
    "PUT /chats/{own}/messages/{elsewhere}/reactions/👍": None,
    "DELETE /chats/{own}/messages/{elsewhere}/reactions/👍": None,
    "POST /chats/{own}/messages": {"content": "x", "reply_to": "{elsewhere}"},
    "PATCH /chats/{own}/members/{plain}": {"role": "admin"},
    "DELETE /chats/{own}/members/{plain}": None,
}


@pytest.mark.parametrize("request_", ELSEWHERE)
def test_through_a_chat_of_ones_own_one_reaches_no_other(shared_scene: Scene, request_: str):
    before, body = shared_scene.state(), ELSEWHERE[request_]
    unknown = shared_scene.names | {"elsewhere": str(new_id()), "plain": str(new_id())}
    here, nowhere = (
        one.ask("stranger", request_, body)
        for one in (shared_scene, shared_scene._replace(names=unknown))
    )
    assert here.status_code in (400, 404)
    assert (here.status_code, here.content) == (nowhere.status_code, nowhere.content)
    assert shared_scene.state() == before


def test_one_may_do_all_to_ones_own_message(scene: Scene):
    for role in ("member", "admin", "owner"):
        own = scene.people[role].says({"id": scene.names["chat"]}, "mine")
        mine = scene._replace(names={**scene.names, "theirs": own["id"]})
        edit, delete = "PATCH /chats/{chat}/messages/{theirs}", TABLE[21][0]
        assert mine.ask(role, edit, {"content": "mine!"}).status_code == 200
        assert mine.ask(role, delete, None).status_code == 204
