"""Clients that take nothing of what they are sent: they cost little, and nobody else anything."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from chatproject.management.commands.serve import SHUTDOWN_SECONDS
from chatproject.testing import Newcomer, Person, Server, SocketClient
from chatproject.testing.sockets import narrow_socket
from messaging.batches import Send, write_batch

pytestmark = pytest.mark.embedded

MANY = 50
MOST_MEBIBYTES = 150
LONG = "🚣" * 10_000
"""80 KB as an event. The system itself keeps up to 4 MiB for one who does not read."""
ENOUGH = 80


@contextlib.asynccontextmanager
async def stalled(who: Person, count: int) -> AsyncIterator[list[SocketClient]]:
    """Sockets of somebody of which nobody reads unless they are asked, and little fits in."""
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for _ in range(count):
            options = {
                "sock": narrow_socket(who.server.port),
                "max_queue": 1,
                "ping_interval": None,
            }
            clients.append(await stack.enter_async_context(who.socket(**options)))
            stack.callback(clients[-1].ws.transport.abort)  # it has no way to say goodbye
        yield clients


async def test_fifty_who_take_nothing_cost_little_and_nobody_else_anything(own_server: Server):
    """Not even when the server is told to stop."""
    alice, bob = Newcomer(own_server, "alice"), Newcomer(own_server, "bob")
    chat = alice.group_with(bob)
    versions = list(range(chat["version"] + 1, chat["version"] + 1 + ENOUGH))
    async with alice.socket() as neighbour, stalled(bob, MANY) as sockets:
        before = most = own_server.mebibytes()
        for version in versions:
            await asyncio.to_thread(alice.says, chat, LONG)
            await neighbour.event("message.created", timeout=5, version=version)
            most = max(most, own_server.mebibytes())
        assert [one["version"] for one in neighbour.of_type("message.created")] == versions
        assert most - before < MOST_MEBIBYTES
        for one in (sockets[0], sockets[-1]):
            assert await one.close_code() == 4408
            told = [event["version"] for event in one.of_type("message.created")]
            assert 0 < len(told) < ENOUGH
            assert told == versions[: len(told)]
        stopped_at = time.monotonic()
        await asyncio.to_thread(own_server.stop)
        assert time.monotonic() - stopped_at < SHUTDOWN_SECONDS
    alice.rest.close()
    bob.rest.close()


async def test_who_does_not_take_what_they_asked_for_is_not_cut_off_but_asks_no_more(
    alice: Person, bob: Person, group: dict[str, Any]
):
    chat_id = UUID(group["id"])
    write_batch([Send(bob.user.id, None, chat_id, "x" * 500) for _ in range(300)])
    asks = {"epoch": None, "chats": {group["id"]: group["version"]}}
    async with stalled(alice, 1) as (socket,):
        for number in range(20):  # 8 MiB
            await socket.send("sync", ref=str(number), chats=asks["chats"])
        await socket.send("message.send", ref="last", chat_id=group["id"], content="at last")
        await asyncio.sleep(2)
        assert _newest(bob, group) == "x" * 500
        await socket.event("ok", ref="last", timeout=20)
        answers = socket.of_type("ok")
        assert [one["ref"] for one in answers] == [*map(str, range(20)), "last"]
        assert _newest(bob, group) == "at last"


def _newest(who: Person, chat: dict[str, Any]) -> str:
    (newest,) = who.rest.get(f"/chats/{chat['id']}/messages?limit=1").json()["results"]
    return str(newest["content"])
