"""Who may open a socket, and how."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import websockets
from django.utils import timezone

from accounts.actions import end_sign_ins
from accounts.models import SignIn
from accounts.tokens import access_token
from chatproject.ids import new_id
from chatproject.testing import Person, Server, SocketClient
from chatproject.testing.cast import web_session
from chatproject.times import rfc3339


@contextlib.asynccontextmanager
async def _open(server: Server, path: str = "/ws", **headers: str) -> AsyncIterator[SocketClient]:
    url = f"{server.url}{path}".replace("http", "ws")
    async with websockets.connect(url, additional_headers=headers) as ws:
        yield SocketClient(ws)


def _cookie(who: Person) -> str:
    return f"sessionid={web_session(who)}"


async def test_a_bearer_token_opens_a_socket_and_is_greeted(alice: Person, server: Server):
    async with _open(server, Authorization=f"bearer {alice.access}") as socket:
        hello = await socket.event("hello")
    assert hello["protocol"] == 1
    assert hello["heartbeat"] == 25
    assert hello["limits"] == {"frame_bytes": 65536, "content_chars": 10000}
    assert hello["user"]["id"] == alice.id
    assert hello["user"]["email"] == alice.user.email
    assert hello["expires_at"].endswith("Z")
    assert isinstance(hello["epoch"], str)


async def test_the_cookie_opens_a_socket_from_the_pages_own_origin(alice: Person, server: Server):
    async with _open(server, Cookie=f"a=b; {_cookie(alice)}", Origin=server.url) as socket:
        hello = await socket.event("hello")
        assert hello["user"]["id"] == alice.id
        assert hello["expires_at"] > rfc3339(timezone.now() + timedelta(days=29))


async def test_the_socket_of_a_cookie_is_closed_when_its_sign_in_ends(
    alice: Person, server: Server
):
    cookie = _cookie(alice)
    soon = timezone.now() + timedelta(seconds=3)
    SignIn.objects.filter(user=alice.user, kind=SignIn.Kind.WEB).update(expires_at=soon)
    async with _open(server, Cookie=cookie, Origin=server.url) as socket:
        assert (await socket.event("hello"))["expires_at"] <= rfc3339(soon)
        assert await socket.close_code(10) == 4401


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "https://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://[",
        "http://[::1",
        "http://127.0.0.1:PORT.evil.example",
        "https://127.0.0.1:PORT",
        "http://evil@127.0.0.1:PORT",
        "ws://127.0.0.1:PORT",
    ],
)
async def test_the_cookie_opens_nothing_from_another_origin(
    alice: Person, server: Server, origin: str | None
):
    headers = {"Cookie": _cookie(alice)}
    if origin is not None:
        headers["Origin"] = origin.replace("PORT", str(server.port))
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with _open(server, **headers):
            pass
    assert refused.value.response.status_code == 403


async def test_a_cookie_of_nobody_is_closed_without_a_frame(server: Server):
    async with _open(server, Cookie="sessionid=nobodys", Origin=server.url) as socket:
        assert await socket.close_code() == 4401
        assert socket.frames == []


async def test_the_cookie_of_an_ended_sign_in_opens_nothing(alice: Person, server: Server):
    cookie = _cookie(alice)
    async with _open(server, Cookie=cookie, Origin=server.url) as socket:
        await socket.event("hello")
    end_sign_ins(sign_ins=alice.user.sign_ins.filter(kind="web"))
    async with _open(server, Cookie=cookie, Origin=server.url) as socket:
        assert await socket.close_code() == 4401
        assert socket.frames == []


async def test_a_first_frame_signs_in_from_any_origin(alice: Person, server: Server):
    async with _open(server, Origin="https://app.example") as socket:
        await socket.send("auth", token=alice.access)
        assert (await socket.event("hello"))["user"]["id"] == alice.id
        assert (await socket.ask("ping"))["type"] == "ok"


async def test_frames_before_hello_wait_for_it(
    alice: Person, bob: Person, server: Server, group: dict[str, Any]
):
    async with _open(server) as socket:
        await socket.send("auth", token=alice.access)
        await socket.send("ping", ref="early")
        await socket.send("message.send", ref="sent", chat_id=group["id"], content="early")
        await socket.until(lambda frame: frame.get("ref") == "sent")
    assert [frame["type"] for frame in socket.frames[:2]] == ["hello", "ok"]
    last = bob.rest.get(f"/chats/{group['id']}").json()["last_message"]
    assert last["content"] == "early"


async def test_no_token_within_five_seconds_closes(server: Server):
    started = time.monotonic()
    async with _open(server) as socket:
        assert await socket.close_code() == 4401
        assert socket.frames == []
    assert 4 < time.monotonic() - started < 8


def _tokens(alice: Person) -> dict[str, str]:
    elsewhere = access_token(alice.sign_in)
    return {
        "nonsense": "nonsense",
        "forged": f"{elsewhere[:-4]}AAAA",
        "refresh": alice.refresh,
        "expired": access_token(alice.sign_in, timedelta(seconds=-1)),
        "unsigned": "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.",
    }


@pytest.mark.parametrize("kind", ["nonsense", "forged", "refresh", "expired", "unsigned"])
async def test_a_wrong_token_is_closed_without_a_frame(alice: Person, server: Server, kind: str):
    token = _tokens(alice)[kind]
    async with _open(server, Authorization=f"Bearer {token}") as socket:
        assert await socket.close_code() == 4401
        assert socket.frames == []
    async with _open(server) as socket:
        await socket.send("auth", token=token)
        assert await socket.close_code() == 4401
        assert socket.frames == []


async def test_a_token_whose_sign_in_has_ended_opens_nothing(alice: Person, server: Server):
    alice.rest.post("/auth/logout", json={"refresh": alice.refresh})
    async with _open(server, **alice.headers) as socket:
        assert await socket.close_code() == 4401
        assert socket.frames == []


async def test_a_token_in_the_address_opens_nothing(alice: Person, server: Server):
    path = f"/ws?token={alice.access}&access={alice.access}"
    async with _open(server, path) as socket:
        await socket.send("ping", ref="a")
        assert await socket.close_code() == 4401
        assert socket.frames == []


@pytest.mark.parametrize(
    "first",
    [
        "",
        "{",
        "[]",
        '"auth"',
        '{"type": "ping", "ref": "a"}',
        '{"type": "auth"}',
        '{"type": "auth", "token": 7}',
        '{"type": "auth", "token": null}',
        '{"type": ["auth"], "token": "x"}',
        '{"type": "auth", "token": "\\ud800"}',
        '{"type": "auth", "token": "\\u0000"}',
        '{"type": "auth", "token": "ÄÖÜ.ß.é"}',
        "[" * 2_000,
        b"\x00\x01",
    ],
)
async def test_any_other_first_frame_is_closed_without_a_frame(server: Server, first: str | bytes):
    async with _open(server) as socket:
        await socket.send_as_is(first)
        assert await socket.close_code() == 4401
        assert socket.frames == []


async def test_a_first_frame_over_four_kilobytes_opens_nothing(alice: Person, server: Server):
    async with _open(server) as socket:
        frame = {"type": "auth", "token": alice.access, "padding": "x" * 4096}
        await socket.send_as_is(json.dumps(frame))
        assert await socket.close_code() == 4401


async def test_who_goes_away_before_signing_in_leaves_no_error_behind(server: Server):
    logged = server.log.read_text()
    async with _open(server):
        pass
    async with _open(server) as socket:
        socket.ws.transport.abort()
    await asyncio.sleep(0.2)
    assert server.log.read_text() == logged


async def test_other_addresses_take_no_socket(alice: Person, server: Server):
    for path in ("/ws/", "/ws/x", "/chats", f"/chats/{new_id()}"):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with _open(server, path, **alice.headers):
                pass
        assert refused.value.response.status_code in (403, 404)


async def test_ten_sockets_of_one_person_all_hear(alice: Person, bob: Person):
    chat = alice.direct_chat_with(bob)
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(alice.socket()) for _ in range(10)]
        message = await asyncio.to_thread(bob.says, chat, "hello")
        for socket in sockets:
            assert (await socket.event("message.created"))["message"] == message
