"""Runs the table of bad input: each case is refused as it says there, and changes nothing."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from rest_framework.permissions import AllowAny

from chatproject.api import API_ROOMS
from chatproject.testing import Server, error_of
from chatproject.testing.answers import KEYS
from chatproject.tests.bad_input.stage import Stage
from chatproject.tests.bad_input.table import CASES, Case, read
from messaging.frames import FRAMES

pytestmark = pytest.mark.embedded  # none of it may reach a database


@pytest.fixture(scope="module")
def stage(server: Server) -> Iterator[Stage]:
    stage = Stage(server)
    yield stage
    stage.at_the_end.close()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.place) for case in CASES])
def test_it_is_refused_just_so_and_changes_nothing(stage: Stage, case: Case):
    before = stage.state()
    error = frame_error(stage, case) if case.is_frame else rest_error(stage, case)
    assert (error["code"], error["attr"]) == (case.code, case.attr), error
    assert stage.state() == before


def rest_error(stage: Stage, case: Case) -> dict[str, Any]:
    answer = stage.request(case)
    error = error_of(answer, int(case.status))
    assert case.status != "401" or answer.headers["www-authenticate"] == "Bearer"
    assert case.status != "405" or answer.headers["allow"]
    return error


def frame_error(stage: Stage, case: Case) -> dict[str, Any]:
    answer = stage.frame(case)
    head = {"type": "error", "ref": "r"} if '"ref": "r"' in case.body else {"type": "error"}
    assert answer == {**head, "errors": answer["errors"]}
    assert all(entry.keys() == KEYS for entry in answer["errors"])
    first: dict[str, Any] = answer["errors"][0]
    return first


@pytest.mark.parametrize(
    "good",
    [
        'bob POST /chats/{chat}/read {"seq": 1}',
        'bob PATCH /users/me {"display_name": "Robert"}',
        'alice PATCH /chats/{chat} {"me": {"pinned": true}}',
        'alice POST /chats/{chat}/messages {"content": "Ahoy"}',
        "alice PUT /chats/{chat}/messages/{message}/reactions/🎉",
        'mallory POST /chats {"type": "group", "name": "Mallory\'s own"}',
        'anybody POST /auth/login {"username": "{bob_username}", "password": "{password}"}',
    ],
)
def test_what_changes_something_would_be_seen(stage: Stage, good: str):
    before = stage.state()
    assert stage.request(read(f"200 - - {good}", "")).is_success
    assert stage.state() != before


def test_there_are_more_than_500_cases_and_no_two_ask_the_same():
    asked = [case.asked for case in CASES]
    assert [case.place for case in CASES if asked.count(case.asked) > 1] == []
    assert len(CASES) > 500


def test_every_route_has_its_cases():
    asked = {(route_of(case), case.method, case.status) for case in CASES if not case.is_frame}
    routes = list(api_routes(get_resolver().url_patterns))
    assert len(routes) > 15
    assert [need for route in routes for need in needs(route) if need not in asked] == []
    with_405 = {route for route, _, status in asked if status == "405"}
    assert {str(route.pattern) for route in routes} - with_405 == set()


def api_routes(patterns: list[Any]) -> Iterator[URLPattern]:
    for one in patterns:
        if isinstance(one, URLResolver) and not str(one.pattern):
            yield from api_routes(one.url_patterns)
        elif str(one.pattern).split("/")[0] in API_ROOMS:
            yield one


def route_of(case: Case) -> str:
    path = re.sub(r"\{[a-z_]+\}", "00000000-0000-7000-8000-000000000000", case.path)
    try:
        return resolve(unquote(path.partition("?")[0])).route
    except Resolver404:
        return ""


def needs(route: URLPattern) -> Iterator[tuple[str, str, str]]:
    """What each method of a route has to be tried with: no sign-in, a bad body, unknown ids."""
    view, address = route.callback.view_class, str(route.pattern)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if hasattr(view, method.lower()):
            if AllowAny not in view.permission_classes:
                yield address, method, "401"
            if method in ("POST", "PATCH"):
                yield address, method, "400"
            if "<" in address:
                yield address, method, "404"


def test_every_field_of_every_frame_has_its_cases():
    blamed = {(case.frame_type, (case.attr or "").split(".")[0]) for case in CASES}
    fields = {(kind, name) for kind, frame in FRAMES.items() for name in frame.serializer().fields}
    assert len(fields) > 20
    assert fields - blamed == set()
    assert FRAMES.keys() - {kind for kind, _ in blamed} == set()
