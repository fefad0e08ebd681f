"""The faults, each with a name, and how it is mended. All by a seed: a run can be repeated."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import websockets
from redis import RedisError
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from chaos.stage import Installation

PATIENCE = 120
"""Seconds after which it does not wait for a dead connection any more."""

Fault = Callable[[], Awaitable[None]]


@dataclass
class Nemesis:
    stage: Installation
    seed: int
    headers: list[dict[str, str]]
    """Of people, in whose names others connect, too."""
    kills: int = 0
    done: list[str] = field(default_factory=list)

    longest_half_open: float = 0
    """Seconds for which the server kept a connection that led nowhere."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.server, self.proxy, self.disk = self.stage.server, self.stage.proxy, self.stage.disk
        self.postgres, self.redis = self.stage.postgres, self.stage.redis
        self._is_over = asyncio.Event()
        self._readings: list[asyncio.Task[None]] = []
        self._countings: list[asyncio.Task[None]] = []

    def faults(self) -> dict[str, Fault]:
        found: dict[str, Fault] = {
            "kill all workers": self.kill_all,
            "stop and start": self.stop_and_start,
            "freeze the server": self.freeze_server,
            "cut every connection": self.break_connections,
            "cut the network": self.cut_network,
            "delay the network": self.delay_network,
            "lose answers": self.lose_answers,
            "pull the cable": self.pull_the_cable,
            "readers that read nothing": self.stall_readers,
            "readers that trickle": self.trickle,
        }
        if self.disk and self.disk.is_there:
            found |= {"full disk": self.fill_disk}
        if self.redis:
            found |= {
                "kill one worker": self.kill_one,
                "kill Redis": self.kill_redis,
                "freeze Redis": self.freeze_redis,
                "CLIENT PAUSE": self.pause_clients,
                "CLIENT KILL": self.kill_clients,
                "FLUSHALL": self.flush,
                "replay what Redis passed, shuffled": self.replay,
            }
        if self.postgres:
            found |= {
                "kill PostgreSQL": self.kill_postgres,
                "pg_terminate_backend": self.terminate_backends,
            }
        return found

    async def strike(self, name: str) -> None:
        self.done.append(name)
        await self.faults()[name]()

    # The server

    async def kill_one(self) -> None:
        self.kills += 1
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(self.server.workers()), signal.SIGKILL)
        await self._restart_if_over()

    async def kill_all(self) -> None:
        self.kills += 1
        await asyncio.to_thread(self.server.stop, signal.SIGKILL)
        await asyncio.to_thread(self.server.start)

    async def stop_and_start(self) -> None:
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.server.start)

    async def freeze_server(self) -> None:
        pids = self.server.processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(self.random.uniform(0.5, 3))
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    async def rest(self) -> None:
        """Sends the readers away, and waits for connections that lead nowhere to be noticed."""
        self._is_over.set()
        await asyncio.gather(*self._readings, *self._countings)

    async def _restart_if_over(self) -> None:
        await asyncio.sleep(0.5)
        if self.server.process.poll() is not None:
            await asyncio.to_thread(self.server.start)

    # The network

    async def break_connections(self) -> None:
        for _ in range(self.random.randint(1, 5)):
            self.proxy.break_all()
            await asyncio.sleep(self.random.uniform(0, 0.3))

    async def cut_network(self) -> None:
        self.proxy.cut()
        await asyncio.sleep(self.random.uniform(0.2, 2))
        self.proxy.mend()

    async def delay_network(self) -> None:
        self.proxy.delay = self.random.uniform(0.05, 0.5)
        await asyncio.sleep(2)
        self.proxy.delay = 0

    async def lose_answers(self) -> None:
        self.proxy.loses_answers = True
        await asyncio.sleep(self.random.uniform(0.2, 1))
        self.proxy.cut()
        self.proxy.mend()

    async def pull_the_cable(self) -> None:
        """Both sides keep connections that lead nowhere; how long the server does is noted."""
        counting = self._count_half_open(self.proxy.swallow(), time.monotonic())
        self._countings.append(asyncio.create_task(counting))

    async def _count_half_open(self, ports: set[int], since: float) -> None:
        while ports & self._peers() and time.monotonic() < since + PATIENCE:
            await asyncio.sleep(0.5)
        self.longest_half_open = max(self.longest_half_open, time.monotonic() - since)

    def _peers(self) -> set[int]:
        """The ports of all with whom the server has a connection, as the kernel knows them.

        The other end can't tell: it hears of the end behind all that it does not read.
        """
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        pairs = [(int(one[1][9:], 16), int(one[2][9:], 16)) for one in lines if one[3] == "01"]
        return {peer for port, peer in pairs if port == self.server.port}

    async def stall_readers(self) -> None:
        """Ten who are connected, and take nothing for half a minute."""
        self._readings.append(asyncio.create_task(self._read(10, every=30, times=1)))

    async def trickle(self) -> None:
        """Ten who take a frame a second."""
        self._readings.append(asyncio.create_task(self._read(10, every=1, times=30)))

    async def _read(self, readers: int, every: float, times: int) -> None:
        address = f"{self.proxy.url.replace('http', 'ws')}/ws"
        options: dict[str, Any] = {"max_queue": 1, "ping_interval": None, "close_timeout": 1}
        async with AsyncExitStack() as stack:
            found = []
            for headers in self.random.choices(self.headers, k=readers):
                with suppress(OSError, TimeoutError, websockets.WebSocketException):
                    connecting = websockets.connect(address, additional_headers=headers, **options)
                    found.append(await stack.enter_async_context(connecting))
            for _ in range(times):
                if await self._ends_within(every):
                    return
                for one in found:
                    with suppress(TimeoutError, websockets.WebSocketException):
                        await asyncio.wait_for(one.recv(), 0.01)

    async def _ends_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._is_over.wait(), seconds)
        return False

    async def fill_disk(self) -> None:
        assert self.disk
        self.disk.fill()
        await asyncio.sleep(self.random.uniform(1, 3))
        self.disk.free()

    # Redis

    async def kill_redis(self) -> None:
        assert self.redis
        self.kills += 1
        self.redis.kill()
        await asyncio.sleep(self.random.uniform(0, 3))
        await asyncio.to_thread(self.redis.start)

    async def freeze_redis(self) -> None:
        assert self.redis
        self.redis.freeze()
        try:
            await asyncio.sleep(self.random.uniform(0.5, 4))
        finally:
            self.redis.thaw()

    async def pause_clients(self) -> None:
        async with self._client() as client:
            await client.client_pause(self.random.randint(500, 4_000))

    async def kill_clients(self) -> None:
        async with self._client() as client:
            for kind in ("pubsub", "normal"):
                await client.client_kill_filter(_type=kind, skipme=True)

    async def flush(self) -> None:
        async with self._client() as client:
            await client.flushall()

    def _client(self) -> Redis:
        """What it is asked may be answered only after a pause."""
        assert self.redis
        return Redis.from_url(self.redis.url)

    async def replay(self) -> None:
        """All that went through in a second comes once more, out of order."""
        with suppress(RedisError):
            async with self._client() as client, client.pubsub() as heard:
                await heard.psubscribe("*")
                found = [one async for one in _heard_within(heard, 1)]
                self.random.shuffle(found)
                for message in found:
                    await client.publish(message["channel"], message["data"])

    # PostgreSQL

    async def kill_postgres(self) -> None:
        assert self.postgres
        self.kills += 1
        self.postgres.kill()
        await asyncio.to_thread(self.postgres.start)

    async def terminate_backends(self) -> None:
        assert self.postgres
        for _ in range(10):
            with suppress(psycopg.Error), psycopg.connect(self.postgres.url) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            await asyncio.sleep(0.2)


async def _heard_within(heard: PubSub, seconds: float) -> AsyncIterator[dict[str, Any]]:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if message := await heard.get_message(ignore_subscribe_messages=True, timeout=left):
            yield message
