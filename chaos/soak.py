"""A long day in short: many sockets that come and go, messages all the time, and what it costs."""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg

from chaos.crowd import Crowd
from chaos.people import Person, alive
from chaos.stage import Installation, Watched

PEOPLE, SOCKETS_EACH, CHATS = 50, 4, 10
DROPS_A_SECOND = 3
WARM_UP = 120
"""Seconds until the first sample: caches and pools fill."""
EVERY = 15
"""Seconds between two samples."""

Samples = dict[str, list[float]]


class Soak:
    """``pace`` in messages a second."""

    def __init__(self, profile: str, seconds: float, pace: float, seed: int) -> None:
        self.stage = Installation(profile, server=Watched)
        self.seconds, self.pace, self.random = seconds, pace, random.Random(seed)
        self.sockets: list[Person] = []
        self.samples: Samples = {name: [] for name in self._measures()}
        self.sent = 0

    async def go(self) -> None:
        async with self.stage.set_up():
            crowd = Crowd(self.stage.proxy.url, PEOPLE, SOCKETS_EACH, CHATS, PEOPLE // CHATS)
            await asyncio.to_thread(crowd.gather)
            self.sockets = crowd.sockets
            until = time.monotonic() + self.seconds
            async with alive(self.sockets):
                await asyncio.gather(
                    self._say(crowd.chats, until), self._drop(until), self._watch(until)
                )

    async def _say(self, chats: list[str], until: float) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                if time.monotonic() > until:
                    return
                person = number % len(self.sockets)
                chat = chats[person * CHATS // len(self.sockets)]
                group.create_task(self._say_one(self.sockets[person], chat, f"m{number}"))
                await asyncio.sleep(began + (number + 1) / self.pace - time.monotonic())

    async def _say_one(self, person: Person, chat: str, client_id: str) -> None:
        send = await person.say(chat, client_id)
        self.sent += send.outcome == "ok"

    async def _drop(self, until: float) -> None:
        while time.monotonic() < until:
            await self.random.choice(self.sockets).drop()
            await asyncio.sleep(1 / DROPS_A_SECOND)

    def delays(self) -> list[float]:
        """Seconds from asking for a message until a socket had it, in order; of each pair."""
        asked: dict[str, float] = {}
        for one in self.sockets:
            asked |= {send.client_id: send.at for send in one.ledger.sends.values()}
        return sorted(
            event.at - asked[event.client_id]
            for one in self.sockets
            for event in one.book.events
            if event.kind == "message.created" and event.client_id in asked
        )

    # What it costs

    def _measures(self) -> dict[str, Callable[[], float]]:
        return {
            "memory (MiB)": self.stage.server.mebibytes,
            "file descriptors": lambda: self._entries("fd"),
            "threads": lambda: self._entries("task"),
            "tasks": self._tasks,
            "database connections": self._connections,
        }

    async def _watch(self, until: float) -> None:
        await asyncio.sleep(min(WARM_UP, self.seconds / 5))
        while time.monotonic() < until:
            for name, measure in self._measures().items():
                self.samples[name].append(await asyncio.to_thread(measure))
            await asyncio.sleep(EVERY)

    def _entries(self, folder: str) -> float:
        pids = self.stage.server.processes()
        return sum(len(list(Path(f"/proc/{pid}/{folder}").iterdir())) for pid in pids)

    def _tasks(self) -> float:
        """Of all processes: each answers now and then."""
        answers = [httpx.get(f"{self.stage.server.url}/tasks").json() for _ in range(20)]
        return sum({answer["pid"]: answer["tasks"] for answer in answers}.values())

    def _connections(self) -> float:
        if not self.stage.postgres:
            return sum(_opened(pid, "chat.sqlite3") for pid in self.stage.server.processes())
        with psycopg.connect(self.stage.postgres.url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
        return float(row[0]) if row else 0

    def ends(self) -> dict[str, tuple[float, float]]:
        """Of each measure the median of the first fifth of the samples, and that of the last."""
        part = max(1, len(self.samples["threads"]) // 5)
        median = statistics.median
        return {
            name: (median(found[:part]), median(found[-part:]))
            for name, found in self.samples.items()
        }

    def slowest(self) -> tuple[float, float]:
        """The p50 and the p99 of the delays, in seconds."""
        delays = self.delays()
        return delays[len(delays) // 2], delays[len(delays) * 99 // 100]

    @property
    def is_fine(self) -> bool:
        """Nothing has grown or shrunk by more than a tenth, and messages were in time."""
        half, most = self.slowest()
        has_kept = all(abs(end / start - 1) <= 0.1 for start, end in self.ends().values())
        return has_kept and half <= 0.1 and most <= 0.5


def _opened(pid: int, name: str) -> int:
    return sum(name in str(one.resolve()) for one in Path(f"/proc/{pid}/fd").iterdir())


def table(soak: Soak) -> str:
    facts = f"{soak.stage.profile}, {soak.seconds / 60:.0f} min, {soak.sent} messages"
    rows = [f"| **{facts}** | start | end | |", "|---|---|---|---|"]
    for name, (start, end) in soak.ends().items():
        rows.append(f"| {name} | {start:.0f} | {end:.0f} | {end / start - 1:+.1%} |")
    half, most = soak.slowest()
    rows.append(f"| until a socket had it (ms): p50, p99 | {half * 1e3:.0f} | {most * 1e3:.0f} | |")
    return "\n".join(rows)
