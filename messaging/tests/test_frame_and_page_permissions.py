"""Who may do what over the socket and on the pages: a row a frame, a row a form."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from chatproject.api import API_ROOMS
from chatproject.ids import new_id
from chatproject.testing import Person, Server
from chatproject.testing.cast import web_session
from chats.tests.scenes import ROLES, Scene, filled, set_up, set_up_with_all
from messaging.frames import FRAMES

pytestmark = pytest.mark.embedded

OUTSIDE = ("stranger", "former")
IDS = {"chat_id", "message_id", "user_ids", "chats"}

NOT_THERE, NO = "not_found", "permission_denied"
ALL = (NOT_THERE, NOT_THERE, "ok", "ok", "ok")
# What each of the roles gets: ok, or the code of the error.
TABLE: dict[str, tuple[dict[str, Any], tuple[str, str, str, str, str]]] = {
    "message.send": ({"content": "x"}, ALL),
    "message.edit": (
        {"message_id": "{theirs}", "content": "x"},
        (NOT_THERE, NOT_THERE, NO, NO, NO),
    ),
    "message.delete": ({"message_id": "{theirs}"}, (NOT_THERE, NOT_THERE, NO, "ok", "ok")),
    "reaction.add": ({"message_id": "{theirs}", "emoji": "👍"}, ALL),
    "reaction.remove": ({"message_id": "{theirs}", "emoji": "👍"}, ALL),
    "read": ({"seq": 1}, ALL),
    "unread": ({"seq": 1}, ALL),
    "typing": ({}, ALL),
    "presence.watch": ({"user_ids": ["{plain}"]}, ("ok",) * 5),
    "sync": ({"chats": {"{chat}": 0}}, ("ok",) * 5),
}


@pytest.fixture(scope="module")
def shared_scene(server: Server) -> Iterator[Scene]:
    yield from set_up_with_all(server)


@pytest.fixture
def scene(server: Server) -> Iterator[Scene]:
    yield from set_up(server)


def frame_of(kind: str, names: dict[str, str]) -> dict[str, Any]:
    fields = {} if "chats" in TABLE[kind][0] else {"chat_id": "{chat}"}
    given = {**fields, **TABLE[kind][0]}
    return {
        key: {names["chat"]: 0} if key == "chats" else filled(value, names)
        for key, value in given.items()
    }


def test_every_frame_that_takes_an_id_is_in_the_table():
    with_ids = {kind for kind, frame in FRAMES.items() if IDS & frame.serializer().fields.keys()}
    assert TABLE.keys() == with_ids
    # Frames with names of their own for ids would pass by: these are all fields that there are.
    fields = {name for frame in FRAMES.values() for name in frame.serializer().fields}
    assert fields - IDS == {
        *("content", "client_id", "message_type", "reply_to", "attachment_ids"),
        *("emoji", "seq", "token", "epoch"),
    }


@pytest.mark.parametrize("role", ROLES)
async def test_a_frame_does_what_one_may_and_no_more(scene: Scene, role: str):
    column = ROLES.index(role)
    kinds = sorted(TABLE, key=lambda kind: kind == "message.delete")  # the last of the message
    async with scene.people[role].socket() as socket:
        for kind in kinds:
            expected, before = TABLE[kind][1][column], scene.state()
            answer = await socket.ask(kind, **frame_of(kind, scene.names))
            got = "ok" if answer["type"] == "ok" else answer["errors"][0]["code"]
            assert got == expected, kind
            assert expected == "ok" or scene.state() == before, kind


@pytest.mark.parametrize("role", OUTSIDE)
async def test_a_chat_of_others_looks_as_if_it_were_not_there(shared_scene: Scene, role: str):
    before, nobody = shared_scene.state(), str(new_id())
    elsewhere = shared_scene.names | {"chat": nobody}
    async with shared_scene.people[role].socket() as socket:
        for kind in TABLE:
            told = []
            for names in (shared_scene.names, elsewhere):
                answer = await socket.ask(kind, **frame_of(kind, names))
                del answer["ref"]
                told.append(repr(answer).replace(names["chat"], "that id"))
            assert told[0] == told[1], kind
            assert kind != "sync" or "'gone': ['that id']" in told[0]
    assert shared_scene.state() == before


async def test_through_a_chat_of_ones_own_a_frame_reaches_no_other(shared_scene: Scene):
    before, names = shared_scene.state(), shared_scene.names
    async with shared_scene.people["stranger"].socket() as socket:
        kinds = [kind for kind, (fields, _) in TABLE.items() if "message_id" in fields]
        assert len(kinds) > 3
        for kind in kinds:
            here, nowhere = [
                await socket.ask(kind, **frame_of(kind, {**names, "chat": names["own"], **more}))
                for more in ({}, {"theirs": str(new_id())})
            ]
            assert here["errors"] == nowhere["errors"]
            assert here["errors"][0]["code"] == "not_found"
        for reply_to in (names["elsewhere"], str(new_id())):
            sent = {"chat_id": names["own"], "content": "x", "reply_to": reply_to}
            answer = await socket.ask("message.send", **sent)
            assert answer["errors"][0]["code"] == "does_not_exist"
    assert shared_scene.state() == before


# The pages

# Of each of the roles, whether it changes something.
FORMS: list[tuple[str, dict[str, str], tuple[bool, bool, bool, bool, bool]]] = [
    ("/c/{chat}", {"content": "x"}, (False, False, True, True, True)),
    *(
        ("/c/{chat}/settings", {"action": action, **fields}, may)
        for action, fields, may in [
            ("save", {"name": "New", "topic": ""}, (False, False, False, True, True)),
            (
                "own",
                {"notify": "none", "muted": "off", "pinned": "on"},
                (False, False, True, True, True),
            ),
            ("add", {"member": "{newcomer}"}, (False, False, False, True, True)),
            ("remove", {"member": "{plain}"}, (False, False, False, True, True)),
            ("remove", {"member": "{an_admin}"}, (False, False, False, False, True)),
            ("role", {"member": "{an_owner}", "role": "member"}, (False,) * 4 + (True,)),
            ("delete", {"is_sure": "on"}, (False,) * 4 + (True,)),
            ("leave", {"is_sure": "on"}, (False, False, True, True, False)),
        ]
    ),
]
PAGES = {path for path, *_ in FORMS}


def page_routes(patterns: list[Any]) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver) and not str(one.pattern):
            yield from page_routes(one.url_patterns)
        elif isinstance(one, URLPattern) and re.search(r"<\w+:", str(one.pattern)):
            yield str(one.pattern)


def test_every_page_that_takes_an_id_is_in_the_table():
    routes = set(page_routes(get_resolver().url_patterns))
    pages = {route for route in routes if route.split("/")[0] not in API_ROOMS}
    assert len(pages) > 1
    assert {resolve(path.format(chat=new_id())).route for path in PAGES} == pages


@contextlib.contextmanager
def browser(server: Server, who: Person | None) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30, verify=False) as client:
        if who:
            client.cookies["sessionid"] = web_session(who)
        client.get("/settings" if who else "/login")  # which has a form, and so its token
        yield client


def submit(client: httpx.Client, path: str, fields: dict[str, str]) -> httpx.Response:
    token = client.cookies.get("csrftoken", "")
    return client.post(path, data={**fields, "csrfmiddlewaretoken": token})


def own_state(scene: Scene, role: str) -> list[Any]:
    """What the owner sees of the chat, and what the role has set there for itself."""
    answer = scene.ask(role, "GET /chats/{chat}", None)
    return [*scene.state(), answer.json().get("me")]


@pytest.mark.parametrize("role", ROLES)
def test_a_form_does_what_one_may_and_no_more(server: Server, scene: Scene, role: str):
    with browser(server, scene.people[role]) as client:
        for path, fields, may in FORMS:
            before = own_state(scene, role)
            answer = submit(client, filled(path, scene.names), filled(fields, scene.names))
            assert answer.status_code == (404 if role in OUTSIDE else 302), fields
            if may[ROLES.index(role)] and fields.get("action") == "delete":
                assert scene.ask(role, "GET /chats/{chat}", None).status_code == 404
                return
            assert (own_state(scene, role) != before) == may[ROLES.index(role)], fields


@pytest.mark.parametrize("role", OUTSIDE)
def test_a_page_of_others_looks_as_if_it_were_not_there(
    server: Server, shared_scene: Scene, role: str
):
    nowhere = shared_scene.names | {"chat": str(new_id())}
    with browser(server, shared_scene.people[role]) as client:
        for path in sorted(PAGES):
            here, there = (client.get(filled(path, one)) for one in (shared_scene.names, nowhere))
            assert (here.status_code, here.content) == (404, there.content)
        for path, fields, _ in FORMS:
            here, there = (
                submit(client, filled(path, one), filled(fields, shared_scene.names))
                for one in (shared_scene.names, nowhere)
            )
            assert (here.status_code, here.content) == (404, there.content)


def test_who_is_not_or_no_longer_signed_in_is_sent_to_the_login(
    server: Server, shared_scene: Scene
):
    before, gone = shared_scene.state(), shared_scene.people["deactivated"]
    with browser(server, None) as nobody, browser(server, None) as late:
        late.cookies["sessionid"] = gone.page
        for client in (nobody, late):
            for path in sorted(PAGES):
                answer = client.get(filled(path, shared_scene.names))
                assert (answer.status_code, answer.content) == (302, b"")
                assert answer.headers["location"].startswith("/login?next=")
            for path, fields, _ in FORMS:
                names = shared_scene.names
                answer = submit(client, filled(path, names), filled(fields, names))
                assert answer.status_code == 302
                assert answer.headers["location"].startswith("/login?next=")
    assert shared_scene.state() == before
