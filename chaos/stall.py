"""What one reader who takes nothing costs those beside them."""

import asyncio
import itertools
import socket
import time

import websockets

from chaos.crowd import Crowd
from chaos.people import Person
from chaos.stage import Installation

READERS = 5
PACE = 10
"""Messages a second."""
TEXT = "🚣" * 5_000
"""40 KB as an event: what the system keeps for who does not read is full after some 12 seconds."""
TURN = 20
"""Seconds without such a reader, then as many beside one."""


class Stall:
    """``delays`` of each message to each reader, in seconds: without such a one, and beside one."""

    def __init__(self, profile: str, seconds: float) -> None:
        self.stage, self.seconds = Installation(profile), seconds
        self.stage.disk = None
        self.delays: tuple[list[float], list[float]] = ([], [])
        self.cut_off = 0

    async def go(self) -> None:
        await asyncio.to_thread(self.stage.start)
        crowd = Crowd(self.stage.server.url, READERS + 1, 1, 1)
        lives = []
        try:
            await asyncio.to_thread(crowd.gather)
            *readers, idler = crowd.sockets
            lives = [asyncio.create_task(one.live()) for one in readers]
            await self._take_turns(readers, idler, crowd.chats[0])
            await idler.http.aclose()
        finally:
            await asyncio.gather(*(one.leave() for one in crowd.sockets))
            await asyncio.gather(*lives)
            await asyncio.to_thread(self.stage.stop)

    async def _take_turns(self, readers: list[Person], idler: Person, chat: str) -> None:
        asked: list[dict[str, float]] = []
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            asked.append(await self._say(readers, chat, f"without {len(asked)}"))
            idle = await self._idle(idler)
            asked.append(await self._say(readers, chat, f"beside {len(asked)}"))
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
                fields = {"chat_id": chat, "client_id": client_id, "content": TEXT}
                group.create_task(who.ask("message.send", **fields))
                await asyncio.sleep(1 / PACE)
        raise AssertionError

    async def _idle(self, who: Person) -> websockets.ClientConnection:
        """A connection of which nobody reads, and into which little fits."""
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        narrow.connect(("127.0.0.1", self.stage.server.port))
        narrow.setblocking(False)
        address = f"{self.stage.server.url.replace('http', 'ws')}/ws"
        return await websockets.connect(
            address, sock=narrow, max_queue=1, ping_interval=None, additional_headers=who.headers
        )


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
    """The slowest of a hundred, and how much slower it is beside a reader who takes nothing."""
    without, beside = (sorted(found)[len(found) * 99 // 100] for found in stall.delays)
    change = f"{beside / without - 1:+.0%}"
    pairs = sum(map(len, stall.delays))
    return (
        f"{stall.stage.profile}: 99 of 100 of {pairs} took {without * 1e3:.0f} ms,"
        f" beside one who takes nothing {beside * 1e3:.0f} ms ({change}),"
        f" who was cut off {stall.cut_off} times"
    )
