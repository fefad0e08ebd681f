"""Who is removed or signed out, by whatever way and in mid-flood, hears and says nothing more."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import websockets

from accounts.models import Connection
from chatproject.testing import IS_SERVICES, Person, Server, tidily
from chatproject.testing.services import RedisServer
from messaging.tests.ways_out import WAYS, Stage

TOLD_WITHIN = 10


class Ear:
    """A socket that keeps all that it is told, and when."""

    def __init__(self, ws: websockets.ClientConnection) -> None:
        self.ws = ws
        self.told: list[tuple[float, dict[str, Any]]] = []
        self.sent_at: dict[str, float] = {}
        self.closed_at: float | None = None

    async def listen(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for data in self.ws:
                self.told.append((time.monotonic(), json.loads(data)))
        self.closed_at = time.monotonic()

    async def say(self, chat: dict[str, Any]) -> None:
        """One message, whose text is its ``ref``."""
        ref = f"{id(self)}-{len(self.sent_at)}"
        self.sent_at[ref] = time.monotonic()
        said = {"type": "message.send", "ref": ref, "chat_id": chat["id"], "content": ref}
        with contextlib.suppress(websockets.ConnectionClosed):
            await self.ws.send(json.dumps(said))

    def of(self, chat: dict[str, Any]) -> list[dict[str, Any]]:
        """The events of the chat."""
        return [frame for _, frame in self.told if frame.get("chat_id") == chat["id"]]

    def removed_at(self) -> float | None:
        return next((at for at, frame in self.told if frame["type"] == "chat.removed"), None)

    @property
    def accepted(self) -> set[str]:
        return {frame["ref"] for _, frame in self.told if frame["type"] == "ok"}


class Victim:
    """Somebody with two sockets, who goes on sending whatever happens."""

    def __init__(self, who: Person, way: str) -> None:
        self.who, self.way = who, way
        self.act, self.code = WAYS[way]
        self.ears: list[Ear] = []
        self.done_at = 0.0

    def headers(self, stage: Stage) -> dict[str, str]:
        if self.way != "logged out on the page":
            return self.who.headers
        return {"Cookie": f"sessionid={stage.page_of_one.session}", "Origin": stage.server.url}

    @property
    def refusal(self) -> int:
        """The status of what their token asks of the chat from then on."""
        if self.way == "logged out on the page":
            return 200  # the token is another sign-in
        return 401 if self.code else 404

    def is_told(self) -> bool:
        return all(one.closed_at if self.code else one.removed_at() for one in self.ears)

    async def is_shut_out(self, stage: Stage) -> None:
        """Says something before, and goes on for a second after, or until the sockets close."""
        async with asyncio.timeout(20):
            for ear in self.ears:
                await ear.say(stage.chat)
                while not ear.accepted:
                    await asyncio.sleep(0.05)
        await asyncio.to_thread(tidily, self.act, stage, self.who)
        self.done_at = time.monotonic()
        for ear in self.ears:
            await ear.say(stage.chat)
        answer = await asyncio.to_thread(self.who.rest.get, f"/chats/{stage.chat['id']}")
        assert answer.status_code == self.refusal, self.way
        async with asyncio.timeout(TOLD_WITHIN + 5):
            while not self.is_told() or time.monotonic() < self.done_at + 1:
                for ear in self.ears:
                    await ear.say(stage.chat)
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def listening(stage: Stage, victims: list[Victim]) -> AsyncIterator[Ear]:
    """Everybody's sockets, on all processes, and one of Bob's, who stays."""
    async with contextlib.AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())

        async def ear_of(headers: dict[str, str]) -> Ear:
            url = f"{stage.server.url}/ws".replace("http", "ws")
            ws = await stack.enter_async_context(
                websockets.connect(url, additional_headers=headers, max_queue=None)
            )
            ear = Ear(ws)
            tasks.create_task(ear.listen())
            return ear

        for victim in victims:
            victim.ears = [await ear_of(victim.headers(stage)) for _ in range(2)]
        bob = await ear_of(stage.bob.headers)
        everybody = [bob, *(ear for one in victims for ear in one.ears)]
        async with asyncio.timeout(20):
            while not all(ear.told for ear in everybody):
                await asyncio.sleep(0.05)
        processes = Connection.objects.filter(user__in=[one.user for one in stage.people])
        assert processes.values("process").distinct().count() == (2 if IS_SERVICES else 1)
        yield bob
        for ear in everybody:
            await ear.ws.close()


async def shut_out_all(server: Server, begin: Callable[[], None]) -> None:
    stage = Stage(server)
    try:
        await _shut_out_all(stage, begin)
    finally:
        for one in stage.people:
            one.rest.close()


async def _shut_out_all(stage: Stage, begin: Callable[[], None]) -> None:
    victims = [Victim(who, way) for way, who in stage.victims.items()]
    async with listening(stage, victims) as bob:
        begin()
        flood = asyncio.create_task(_flood(stage, bob))
        await asyncio.sleep(0.3)
        await asyncio.gather(*(one.is_shut_out(stage) for one in victims))
        flood.cancel()
        end = await asyncio.to_thread(lambda: stage.bob.rest.get(f"/chats/{stage.chat['id']}"))
        async with asyncio.timeout(10):
            while bob.of(stage.chat)[-1]["version"] < end.json()["version"]:
                await asyncio.sleep(0.05)
    left = {
        frame["member"]["user"]["id"]: frame["version"]
        for frame in bob.of(stage.chat)
        if frame["type"] == "member.left"
    }
    stored = _stored(stage)
    for victim in victims:
        check(stage, victim, left, stored)


async def _flood(stage: Stage, bob: Ear) -> None:
    while True:
        await bob.say(stage.chat)
        await asyncio.sleep(0.04)


def _stored(stage: Stage) -> set[str]:
    from messaging.models import Message

    return set(Message.objects.filter(chat=stage.chat["id"]).values_list("content", flat=True))


def check(stage: Stage, victim: Victim, left: dict[str, int], stored: set[str]) -> None:
    way = victim.way
    for ear in victim.ears:
        told_at = ear.closed_at if victim.code else ear.removed_at()
        assert told_at, way
        assert told_at < victim.done_at + TOLD_WITHIN, way
        after = {ref for ref, at in ear.sent_at.items() if at >= victim.done_at}
        assert after, way
        assert not after & (ear.accepted | stored), way
        if victim.code:
            assert ear.ws.close_code == victim.code, way
        else:
            events = ear.of(stage.chat)
            assert events[-1]["type"] == "chat.removed", way
            numbered = [one["version"] for one in events[:-1]]
            first, end = stage.chat["version"] + 1, stage.chat["version"] + 1 + len(numbered)
            assert numbered == list(range(first, end)), way
            assert end - 1 <= left[victim.who.id], way


async def test_whoever_is_shut_out_hears_and_says_nothing_more(server: Server):
    await shut_out_all(server, lambda: None)


@pytest.fixture
def redis_to_kill() -> Iterator[RedisServer]:
    one = RedisServer()
    one.start()
    yield one
    one.kill()


@pytest.fixture
def server_to_cut_off(installation: None, redis_to_kill: RedisServer) -> Iterator[Server]:
    """A second one on this worker's database, with a Redis of its own."""
    server = Server(REDIS_URL=redis_to_kill.url)
    server.start()
    yield server
    server.stop()


@pytest.mark.services
async def test_nor_do_they_without_redis(server_to_cut_off: Server, redis_to_kill: RedisServer):
    await shut_out_all(server_to_cut_off, redis_to_kill.kill)
