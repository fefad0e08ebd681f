"""Every address is for people who are signed in, but for those that are named here."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import URLResolver, get_resolver

from chatproject.ids import new_id
from chatproject.testing import Person, Server, SocketClient
from chatproject.testing.cast import web_session
from messaging.frames import FRAMES

pytestmark = pytest.mark.embedded

PUBLIC = {
    *("healthz", "readyz", "schema", "schema/ws", "docs"),
    *("auth/register", "auth/login", "auth/refresh", "auth/logout"),
    *("login", "logout", "register", "setup"),
    *("manifest.webmanifest", "sw.js", "offline"),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
UNKNOWN = "^(?:auth|"
"""How the address of what the API does not have begins."""


def routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        elif not route.startswith(UNKNOWN):
            yield route


ROUTES = sorted(set(routes(get_resolver().url_patterns)))
OF_THE_ADMIN = [one for one in ROUTES if one.startswith("admin/")]
OTHERS = [one for one in ROUTES if one not in OF_THE_ADMIN]
# What the admin answers to anybody, before it asks who that is: words of its own scripts.
SCRIPTS = "admin/jsi18n/"
PASSWORD_PAGES = {"admin/password_change/", "admin/password_change/done/"}


@pytest.fixture(scope="module")
def names(server: Server) -> dict[str, str]:
    """Things that are there: an answer may not say 404 only because there is nothing."""
    alice = Person(server, "alice")
    chat = alice.group_with()
    message = alice.says(chat, "Only for those who are in")
    alice.rest.close()
    return {
        "<uuid:chat_id>": chat["id"],
        "<uuid:user_id>": alice.id,
        "<uuid:message_id>": message["id"],
        "<str:emoji>": "👍",
        "<id>": alice.id,
        "<path:object_id>": alice.id,
        "<path:content_type_id>": "1",
        "<app_label>": "accounts",
    }


def address(route: str, names: dict[str, str]) -> str:
    """An address of the route; one that is not understood here fails."""
    for name, value in names.items():
        route = route.replace(name, value)
    if route.startswith("admin/^"):
        route = "admin/accounts/"
    route = route.replace("admin/(?P<url>.*)$", "admin/anything")
    assert not set("<>^$()") & set(route), route
    return f"/{route}"


COMES_AND_GOES = {"sessions.Session", "accounts.Connection", "accounts.ServerProcess"}
"""What signing in keeps, and what the server itself does."""


def rows() -> dict[type[Model], int]:
    """How many there are of everything, but for what strangers leave behind: sessions."""
    kept = [one for one in apps.get_models() if one._meta.label not in COMES_AND_GOES]
    return {model: model._default_manager.count() for model in kept}


def is_denied(answer: Any) -> bool:
    if answer.status_code == 302:
        return answer["Location"].startswith(("/login", "/admin/login/")) and not answer.content
    return bool(answer.status_code == 401)


def test_the_public_ones_are_there_and_public(names: dict[str, str]):
    assert set(ROUTES) >= PUBLIC
    assert len(OF_THE_ADMIN) > 20
    client = Client(SERVER_NAME="localhost")
    for route in PUBLIC - {"logout", "setup"}:
        assert any(
            not is_denied(client.generic(method, f"/{route}", "{}", "application/json"))
            for method in ("GET", "POST")
        ), route


@pytest.mark.parametrize("route", [one for one in OTHERS if one not in PUBLIC])
def test_nobody_gets_an_answer_who_is_not_signed_in(names: dict[str, str], route: str):
    """In this process, where no missing token against forged forms could be the reason."""
    client = Client(SERVER_NAME="localhost")
    for method in METHODS:
        answer = client.generic(method, address(route, names), "{}", "application/json")
        assert is_denied(answer), (method, answer.status_code)


def test_the_admin_is_for_nobody_who_is_not_signed_in(names: dict[str, str]):
    client, before = Client(SERVER_NAME="localhost"), rows()
    for route in OF_THE_ADMIN:
        for method in ("GET", "POST"):
            answer = client.generic(method, address(route, names))
            is_out = is_denied(answer) or route == SCRIPTS
            assert is_out or route == "admin/logout/", (route, method, answer.status_code)
    assert rows() == before


@pytest.mark.parametrize("is_staff", [False, True])
def test_the_admin_is_for_nobody_without_its_rights(
    names: dict[str, str], mallory: Person, is_staff: bool
):
    """Somebody signed in, or staff that nobody has given any right."""
    mallory.user.is_staff = is_staff
    mallory.user.save(update_fields=["is_staff"])
    client = Client(SERVER_NAME="localhost")
    client.cookies["sessionid"] = web_session(mallory)
    before = rows()
    open_to_staff = {"admin/", "admin/login/", "admin/autocomplete/", *PASSWORD_PAGES}
    for route in OF_THE_ADMIN:
        for method in ("GET", "POST"):
            if route in (SCRIPTS, "admin/logout/") or (is_staff and route in open_to_staff):
                continue
            answer = client.generic(method, address(route, names))
            told = answer.status_code, answer.headers.get("Location", "")
            # An old address leads on to today's, one of a row that there is not to the index.
            onwards = ("/admin/", f"{address(route, names)}change/")
            leads_on = told[1] in onwards or told[1].startswith("/admin/login/")
            assert told[0] in (403, 404) or (told[0] == 302 and leads_on), (route, method, told)
            assert names["<uuid:chat_id>"] not in answer.content.decode()
    assert client.get("/admin/login/").status_code == (302 if is_staff else 403)
    assert rows() == before


@pytest.mark.parametrize("kind", sorted(FRAMES))
async def test_no_frame_is_answered_before_one_has_signed_in(server: Server, kind: str):
    import websockets

    fields = {"chat_id": str(new_id()), "message_id": str(new_id()), "content": "x", "seq": 1}
    more = {"emoji": "👍", "user_ids": [], "chats": {}, "token": "x"}
    async with websockets.connect(f"{server.url}/ws".replace("http", "ws")) as ws:
        socket = SocketClient(ws)
        await socket.send(kind, ref="r", **fields, **more)
        assert await socket.close_code() == 4401
        assert socket.frames == []
