"""What one reader who takes nothing costs those beside them."""

import asyncio
import itertools
import time
from typing import Any

import websockets

from chaos.crowd import Crowd
from chaos.people import Person, alive
from chaos.stage import Installation
from chatproject.testing.sockets import narrow_socket

READERS = 5
PACE = 5
"""Messages a second: half of what these readers may send."""
TEXT = "&" * 10_000
"""60 KB as an event: what the system keeps for who does not read is full after some 15 seconds."""
TURN = 30
"""Seconds without such a reader, then as many beside one."""


class Stall:
    """``delays`` of each message to each reader, in seconds: without such a one, and beside one."""

    def __init__(self, profile: str, seconds: float) -> None:
        self.stage, self.seconds = Installation(profile), seconds
        self.delays: tuple[list[float], list[float]] = ([], [])
        self.cut_off = self.turns = 0

    async def go(self) -> None:
        async with self.stage.set_up():
            crowd = Crowd(self.stage.server.url, READERS + 1, 1, 1, READERS + 1)
            await asyncio.to_thread(crowd.gather)
            *readers, idler = crowd.sockets
            async with alive(readers):
                await self._take_turns(readers, idler, crowd.chats[0])
            await idler.http.aclose()

    async def _take_turns(self, readers: list[Person], idler: Person, chat: str) -> None:
        asked: list[dict[str, float]] = []
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            asked.append(await self._say(readers, chat, f"without {len(asked)}"))
            idle = await self._idle(idler)
            asked.append(await self._say(readers, chat, f"beside {len(asked)}"))
            self.turns += 1
            self.cut_off += await _has_ended(idle)
        await asyncio.sleep(5)
        for found, moments in zip(itertools.cycle(self.delays), asked, strict=False):
            events = [event for one in readers for event in one.book.events]
            found += [
                event.at - moments[event.client_id]
                for event in events
                if event.client_id in moments
            ]

    async def _say(self, readers: list[Person], chat: str, name: str) -> dict[str, float]:
        """When each message was asked for, by its ``client_id``."""
        asked: dict[str, float] = {}
        until = time.monotonic() + TURN
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                if time.monotonic() > until:
                    return asked
                client_id, who = f"{name} {number}", readers[number % READERS]
                asked[client_id] = time.monotonic()
                group.create_task(_say_one(who, chat, client_id))
                await asyncio.sleep(1 / PACE)
        raise AssertionError

    async def _idle(self, who: Person) -> websockets.ClientConnection:
        """A connection of which nobody reads."""
        server = self.stage.server
        options: dict[str, Any] = {"sock": narrow_socket(server.port), "max_queue": 1}
        options |= {"ping_interval": None, "additional_headers": who.headers}
        address = f"{server.url.replace('http', 'ws')}/ws"
        return await websockets.connect(address, **options)

    @property
    def p99s(self) -> tuple[float, float]:
        without, beside = (sorted(found)[len(found) * 99 // 100] for found in self.delays)
        return without, beside

    @property
    def is_fine(self) -> bool:
        """They are slower by less than a fifth, and whoever takes nothing has been cut off."""
        without, beside = self.p99s
        return beside < 1.2 * without and self.cut_off == self.turns


async def _say_one(who: Person, chat: str, client_id: str) -> None:
    answer = await who.ask("message.send", chat_id=chat, client_id=client_id, content=TEXT)
    assert answer["type"] == "ok", answer


async def _has_ended(idle: websockets.ClientConnection) -> bool:
    """By the server; that, too, is only seen by who reads."""
    try:
        while True:
            await asyncio.wait_for(idle.recv(), 5)
    except websockets.ConnectionClosed:
        return True
    except TimeoutError:
        idle.transport.abort()
        return False


def table(stall: Stall) -> str:
    without, beside = stall.p99s
    change = f"{beside / without - 1:+.0%}"
    pairs = sum(map(len, stall.delays))
    return (
        f"{stall.stage.profile}: 99 of 100 of {pairs} took {without * 1e3:.0f} ms,"
        f" beside one who takes nothing {beside * 1e3:.0f} ms ({change}),"
        f" who was cut off {stall.cut_off} times of {stall.turns}"
    )
