"""One run: a stage, people who write and listen, faults, and what the books say in the end."""

import asyncio
import itertools
import random
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chaos.checker import Findings, check
from chaos.ledger import Ledger, Seat, Stored, Truth
from chaos.nemesis import Nemesis, SmallDisk
from chaos.people import TROUBLE, Person
from chatproject.testing import PASSWORD, Proxy, Server
from chatproject.testing.services import PostgresServer, RedisServer

QUIET_WITHIN = 60
"""Seconds after the last fault in which everybody has everything."""


@dataclass
class Plan:
    profile: str
    seconds: float
    people: int = 8
    chats: int = 3
    seed: int = 1
    faults: tuple[str, ...] = ()
    """Those to choose from; all where none is named."""
    calm: tuple[float, float] = (0.5, 2.5)


@dataclass
class Outcome:
    plan: Plan
    findings: Findings
    sends: Counter[str]
    faults: Counter[str]
    kills: int
    events: int
    connections: int
    quiet_after: float


class Installation:
    """A server of its own behind a proxy, with its database and Redis where the plan has them."""

    def __init__(self, plan: Plan) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="chat-chaos-")
        self.disk = SmallDisk(Path(self._folder.name)) if plan.profile == "embedded" else None
        self.proxy = Proxy()
        environment = {"DATA_DIR": self._folder.name, "PUBLIC_URL": self.proxy.url}
        self.postgres = self.redis = None
        if plan.profile == "services":
            self.postgres, self.redis = PostgresServer(), RedisServer()
            environment |= {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url}
            environment |= {"WORKERS": "2"}
        self.server = Server(**environment)

    def start(self) -> None:
        if self.disk:
            self.disk.mount()
        for service in (self.postgres, self.redis):
            if service:
                service.start()
        self.server.start()
        self.proxy.start(self.server.port)

    def stop(self) -> None:
        self.proxy.cut()
        self.server.stop()
        for service in (self.redis, self.postgres):
            if service:
                service.kill()
        if self.disk:
            self.disk.unmount()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """From the database itself."""
        if self.postgres:
            import psycopg

            with psycopg.connect(self.postgres.url) as connection:
                return connection.execute(query.encode()).fetchall()
        import sqlite3

        path = Path(self._folder.name) / "chat.sqlite3"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def truth(self) -> Truth:
        said = self.rows("SELECT chat_id, seq, version, sender_id, client_id FROM messages")
        seats = self.rows("SELECT chat_id, user_id FROM memberships WHERE left_at IS NULL")
        members: dict[str, set[str]] = defaultdict(set)
        for chat, user in seats:
            members[_id(chat)].add(_id(user))
        return Truth(
            [
                Stored(_id(chat), seq, version, _id(sender), client_id or "")
                for chat, seq, version, sender, client_id in said
            ],
            {_id(chat): version for chat, version in self.rows("SELECT id, version FROM chats")},
            members,
        )


def _id(value: Any) -> str:
    """As the API writes it; SQLite keeps it without dashes."""
    text = str(value).replace("-", "")
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


class Run:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.ledger = plan, Ledger()
        self.random = random.Random(plan.seed)
        self.stage = Installation(plan)
        self.people: list[Person] = []
        self.chats: list[str] = []
        self._numbers = itertools.count(1)

    async def go(self) -> Outcome:
        await asyncio.to_thread(self.stage.start)
        try:
            return await self._go()
        finally:
            await asyncio.to_thread(self.stage.stop)

    async def _go(self) -> Outcome:
        self._people_and_chats()
        stage = self.stage
        headers = [one.headers for one in self.people]
        nemesis = Nemesis(stage.server, stage.proxy, self.plan.seed, headers)
        nemesis.postgres, nemesis.redis, nemesis.disk = stage.postgres, stage.redis, stage.disk
        until = time.monotonic() + self.plan.seconds
        async with AsyncExitStack() as stack:
            lives = [asyncio.create_task(one.live()) for one in self.people]
            for one in self.people:
                stack.push_async_callback(one.leave)
            work = [self._write(one, until) for one in self.people]
            await asyncio.gather(*work, self._strike(nemesis, until), self._revoke(until))
            began = time.monotonic()
            findings = await self._quiet()
            quiet_after = time.monotonic() - began
        await asyncio.gather(*lives)
        books = self.ledger.books.values()
        return Outcome(
            self.plan,
            findings,
            Counter(send.outcome for send in self.ledger.sends.values()),
            Counter(nemesis.done),
            nemesis.kills,
            sum(len(book.events) for book in books),
            len({event.connection for book in books for event in book.events}),
            quiet_after,
        )

    def _people_and_chats(self) -> None:
        """All are in every chat; the first owns them and is never removed."""
        url = self.stage.proxy.url
        for number in range(self.plan.people):
            facts = {"username": f"p{number}", "email": f"p{number}@example.org"}
            answer = httpx.post(f"{url}/auth/register", json={**facts, "password": PASSWORD})
            found = answer.raise_for_status().json()
            headers = {"Authorization": f"Bearer {found['access']}"}
            self.people.append(Person(url, headers, found["user"]["id"], self.ledger))
        others = [one.id for one in self.people[1:]]
        for number in range(self.plan.chats):
            body = {"type": "group", "name": f"Chat {number}", "members": others}
            answer = httpx.post(f"{url}/chats", json=body, headers=self.people[0].headers)
            self.chats.append(answer.raise_for_status().json()["id"])

    async def _write(self, person: Person, until: float) -> None:
        """In bursts over the socket, now and then by REST."""
        while time.monotonic() < until:
            chat = self.random.choice(self.chats)
            ids = [f"c{next(self._numbers)}" for _ in range(self.random.randint(1, 6))]
            if self.random.random() < 0.15:
                await person.post(chat, ids[0])
            else:
                await asyncio.gather(*(person.say(chat, one) for one in ids))
            await asyncio.sleep(self.random.uniform(0, 0.1))

    async def _strike(self, nemesis: Nemesis, until: float) -> None:
        names = list(self.plan.faults or nemesis.faults())
        while time.monotonic() < until:
            self.random.shuffle(names)
            for name in names:
                await asyncio.sleep(self.random.uniform(*self.plan.calm))
                if time.monotonic() >= until:
                    return
                await nemesis.strike(name)

    # Removals in the middle of it all

    async def _revoke(self, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self.random.uniform(1, 3))
            person, chat = self.random.choice(self.people[1:]), self.random.choice(self.chats)
            await self._insist("DELETE", f"/chats/{chat}/members/{person.id}")
            seat = Seat(person.id, chat, self._seat_version(person, chat, "version"))
            self.ledger.absences.append(seat)
            with suppress(*TROUBLE):
                answer = await person.http.get(f"/chats/{chat}/messages")
                if answer.status_code == 200:
                    self.ledger.refused_reads.append(f"{person.id} read {chat}")
            await asyncio.sleep(self.random.uniform(0, 1))
            await self._insist("POST", f"/chats/{chat}/members", json={"user_ids": [person.id]})
            seat.until = self._seat_version(person, chat, "joined_version")

    async def _insist(self, method: str, path: str, **more: Any) -> None:
        """The owner asks until it is so; a member who is gone already is 404."""
        while True:
            with suppress(*TROUBLE):
                answer = await self.people[0].http.request(method, path, **more)
                if answer.is_success or answer.status_code == 404:
                    return
            await asyncio.sleep(0.3)

    def _seat_version(self, person: Person, chat: str, column: str) -> int:
        while True:
            with suppress(Exception):  # the database may be away
                seats = self.stage.rows(f"SELECT chat_id, user_id, {column} FROM memberships")
                found = {(_id(one), _id(user)): version for one, user, version in seats}
                return int(found[chat, person.id])
            time.sleep(0.1)

    # The end

    async def _quiet(self) -> Findings:
        """What is wrong once nothing happens any more; as early as nothing is."""
        deadline = time.monotonic() + QUIET_WITHIN
        while True:
            await asyncio.sleep(0.5)
            findings = check(self.ledger, await asyncio.to_thread(self.stage.truth))
            if not any(findings.values()) or time.monotonic() > deadline:
                return findings
