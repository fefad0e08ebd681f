"""A Redis that is killed: everything goes on without it, and with it once it is back."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatproject.testing import PASSWORD, Server, SocketClient, another_installation
from chatproject.testing.services import RedisServer
from messaging.tests.test_restart import Account

pytestmark = pytest.mark.services


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    own = RedisServer()
    own.start()
    yield own
    own.kill()


@pytest.fixture
def own_environment(tmp_path: Path, own_redis: RedisServer) -> dict[str, str]:
    return another_installation(tmp_path) | {"REDIS_URL": own_redis.url}


def _layer(server: Server) -> set[str]:
    """What the workers say of it; each answers some of the time."""
    answers = [httpx.get(f"{server.url}/readyz") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    return {answer.json()["layer"] for answer in answers}


def _until(server: Server, layer: str) -> None:
    deadline = time.monotonic() + 15
    while _layer(server) != {layer}:
        assert time.monotonic() < deadline, f"the layer is not {layer}"
        time.sleep(0.2)


def _sign_in_on_the_page(server: Server, who: str) -> httpx.Client:
    client = httpx.Client(base_url=server.url, timeout=10, follow_redirects=True)
    client.get("/login")
    form = {"username": who, "password": PASSWORD}
    form["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
    answer = client.post("/login", data=form, headers={"Referer": server.url})
    assert answer.url.path == "/", answer.text
    return client


async def _hears(socket: SocketClient, chat: dict[str, Any], said: dict[str, Any]) -> None:
    await socket.event("message.created", timeout=5, version=said["version"])
    versions = [one["version"] for one in socket.frames if one.get("chat_id") == chat["id"]]
    assert versions == list(range(chat["version"] + 1, said["version"] + 1))


async def test_a_killed_redis_stops_nothing(own_server: Server, own_redis: RedisServer):
    ana, ben = Account(own_server, "ana"), Account(own_server, "ben")
    chat = ana.call("POST", "/chats", json={"type": "direct", "members": [ben.id]})
    messages = f"/chats/{chat['id']}/messages"
    page = await asyncio.to_thread(_sign_in_on_the_page, own_server, "ana")
    assert _layer(own_server) == {"ok"}
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(ben.socket()) for _ in range(4)]
        own_redis.kill()
        for number in range(3):
            started = time.monotonic()
            said = ana.call("POST", messages, json={"content": f"without {number}"})
            assert time.monotonic() - started < 2
            for socket in sockets:
                await _hears(socket, chat, said)
        assert len(ana.call("GET", messages)["results"]) == 3
        assert page.get("/").url.path == "/"
        (await asyncio.to_thread(_sign_in_on_the_page, own_server, "ben")).close()
        await asyncio.to_thread(_until, own_server, "degraded")

        own_redis.start()
        await asyncio.to_thread(_until, own_server, "ok")
        assert page.get("/").url.path == "/"
        said = ana.call("POST", messages, json={"content": "with"})
        for socket in sockets:
            await _hears(socket, chat, said)
        async with ana.socket() as typist:
            await typist.ask("typing", chat_id=chat["id"])
            for socket in sockets:
                await socket.event("typing", timeout=2)
    page.close()


async def test_a_flushed_redis_signs_nobody_out(own_server: Server, own_redis: RedisServer):
    import redis

    Account(own_server, "ana")
    page = await asyncio.to_thread(_sign_in_on_the_page, own_server, "ana")
    with redis.Redis.from_url(own_redis.url) as client:
        assert client.dbsize() > 0
        client.flushall()
        assert page.get("/").url.path == "/"
        assert client.dbsize() > 0  # cached anew
    page.close()
