"""The faults, each with a name, and how it is mended. All by a seed: a run can be repeated."""

import asyncio
import os
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import websockets
from redis import Redis

from chatproject.testing import Proxy, Server
from chatproject.testing.services import PostgresServer, RedisServer

Fault = Callable[[], Awaitable[None]]


@dataclass
class Nemesis:
    """What it may hurt; ``postgres`` and ``redis`` only where they are."""

    server: Server
    proxy: Proxy
    seed: int
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of people, in whose names others connect, too."""
    postgres: PostgresServer | None = None
    redis: RedisServer | None = None
    disk: "SmallDisk | None" = None
    kills: int = 0
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def faults(self) -> dict[str, Fault]:
        found: dict[str, Fault] = {
            "kill all workers": self.kill_all,
            "stop and start": self.stop_and_start,
            "freeze the server": self.freeze_server,
            "cut every connection": self.break_connections,
            "cut the network": self.cut_network,
            "delay the network": self.delay_network,
            "lose answers": self.lose_answers,
            "readers that read nothing": self.stall_readers,
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

    def _workers(self) -> list[int]:
        """Its processes but the first, where it has several; else itself."""
        first = self.server.process.pid
        children = subprocess.run(
            ["pgrep", "-P", str(first)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in children.stdout.split()] or [first]

    async def kill_one(self) -> None:
        self.kills += 1
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(self._workers()), signal.SIGKILL)
        await self._restart_if_over()

    async def kill_all(self) -> None:
        self.kills += 1
        await asyncio.to_thread(self.server.stop, signal.SIGKILL)
        await asyncio.to_thread(self.server.start)

    async def stop_and_start(self) -> None:
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.server.start)

    async def freeze_server(self) -> None:
        pids = self._workers()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self.random.uniform(0.5, 3))
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

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

    async def stall_readers(self) -> None:
        """Ten who are connected, and take nothing."""
        address = f"{self.proxy.url.replace('http', 'ws')}/ws"
        async with AsyncExitStack() as stack:
            for headers in self.random.choices(self.headers, k=10):
                options: dict[str, Any] = {"max_queue": 1, "ping_interval": None}
                with suppress(OSError, websockets.WebSocketException):
                    stalled = websockets.connect(address, additional_headers=headers, **options)
                    await stack.enter_async_context(stalled)
            await asyncio.sleep(5)

    async def fill_disk(self) -> None:
        assert self.disk
        self.disk.fill()
        await asyncio.sleep(self.random.uniform(1, 3))
        self.disk.free()

    # Redis

    def _commands(self) -> "Redis":
        assert self.redis
        return Redis.from_url(self.redis.url)

    async def kill_redis(self) -> None:
        assert self.redis
        self.kills += 1
        self.redis.kill()
        await asyncio.sleep(self.random.uniform(0, 3))
        await asyncio.to_thread(self.redis.start)

    async def freeze_redis(self) -> None:
        assert self.redis
        self.redis.freeze()
        await asyncio.sleep(self.random.uniform(0.5, 4))
        self.redis.thaw()

    async def pause_clients(self) -> None:
        self._commands().execute_command("CLIENT", "PAUSE", self.random.randint(500, 4_000))

    async def kill_clients(self) -> None:
        for kind in ("pubsub", "normal"):
            self._commands().execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    async def flush(self) -> None:
        self._commands().flushall()

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


class SmallDisk:
    """A file system in memory that can be filled. Only root may mount one, on Linux."""

    SIZE = 128 * 2**20

    def __init__(self, folder: Path) -> None:
        self.folder, self.is_there = folder, False

    def mount(self) -> None:
        how = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", str(self.folder)]
        with suppress(OSError):
            self.is_there = subprocess.run(how, capture_output=True, check=False).returncode == 0

    def unmount(self) -> None:
        if self.is_there:
            subprocess.run(["umount", str(self.folder)], check=True)

    def fill(self) -> None:
        with suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(2**16))

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"
