"""One of two workers is killed: its people are back at once, the other's notice nothing."""

import asyncio
import contextlib
import os
import signal
import time
from typing import Any

import httpx
import pytest
import websockets

from chatproject.testing import Person, Server, SocketClient
from messaging.tests.processes import apart, code_if_closed

pytestmark = pytest.mark.services

BACK_SECONDS = 10


async def test_who_was_on_a_killed_worker_is_back_and_whole_while_the_others_go_on(
    server: Server, alice: Person, bob: Person, group: dict[str, Any]
):
    async with apart(alice, bob) as (a, b):
        os.kill(server.workers()[0], signal.SIGKILL)
        killed_at = time.monotonic()
        talking = asyncio.create_task(asyncio.to_thread(_talk, alice, group, 20))
        closed = asyncio.gather(code_if_closed(a), code_if_closed(b))
        gone, stays = (alice, b) if (await closed)[1] is None else (bob, a)
        async with _back(gone, until=killed_at + BACK_SECONDS) as socket:
            last = await talking
            await stays.event("message.created", timeout=5, version=last)
            told = [one["version"] for one in stays.of_type("message.created")]
            assert told == list(range(group["version"] + 1, last + 1))
            known = {"epoch": socket.hello["epoch"], "chats": {group["id"]: group["version"]}}
            (change,) = (await socket.ask("sync", **known))["changes"]
            assert [one["version"] for one in change["messages"]] == told
            while len(server.workers()) < 2:
                assert time.monotonic() < killed_at + BACK_SECONDS
                await asyncio.sleep(0.1)


def _talk(who: Person, chat: dict[str, Any], count: int) -> int:
    """Says so much, each once, however often it takes; returns the last version."""
    for number in range(count):
        deadline = time.monotonic() + BACK_SECONDS
        while True:
            assert time.monotonic() < deadline
            with contextlib.suppress(httpx.TransportError):
                said = who.says(chat, f"say {number}", client_id=f"say {number}")
                break
        time.sleep(0.05)
    return int(said["version"])


@contextlib.asynccontextmanager
async def _back(who: Person, *, until: float) -> Any:
    """A new socket as soon as there can be one."""
    async with contextlib.AsyncExitStack() as stack:
        socket: SocketClient | None = None
        while socket is None:
            assert time.monotonic() < until
            with contextlib.suppress(OSError, websockets.WebSocketException):
                socket = await stack.enter_async_context(who.socket())
        yield socket
