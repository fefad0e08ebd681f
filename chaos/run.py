"""One run: a stage, people who write and listen, faults, and what the books say in the end."""

import asyncio
import itertools
import random
import re
import sqlite3
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from chaos.checker import Findings, check
from chaos.ledger import Absence, Ledger
from chaos.nemesis import Nemesis
from chaos.people import TROUBLE, Person
from chaos.stage import Installation, id_of, register
from chatproject.testing import Server

AWAY = (psycopg.Error, sqlite3.Error)
TRACEBACK = re.compile(r"^Traceback .*?(?=^\d{4}-|\Z)", re.MULTILINE | re.DOTALL)
QUIET_WITHIN = 60
"""Seconds after the last fault in which everybody has everything."""
GONE_WITHIN = 65
"""Seconds in which the server has noticed that nobody is there any more, and 5 of ours."""


@dataclass
class Plan:
    profile: str
    seconds: float
    server: type[Server] = Server
    people: int = 12
    chats: int = 3
    seed: int = 1
    faults: tuple[str, ...] = ()
    """Those to choose from; all where none is named."""
    calm: tuple[float, float] = (0.2, 2)
    """Seconds between two."""


@dataclass
class Outcome:
    plan: Plan
    findings: Findings
    sends: Counter[str]
    faults: Counter[str]
    kills: int
    events: int
    connections: int
    longest_half_open: float
    quiet_after: float
    tracebacks: list[str]

    @property
    def is_fine(self) -> bool:
        has_failed = any(self.findings.values()) or self.tracebacks
        return bool(self.sends["ok"]) and not has_failed


class Run:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.ledger = plan, Ledger()
        self.random = random.Random(plan.seed)
        has_small_disk = plan.profile == "embedded"
        self.stage = Installation(plan.profile, plan.server, has_small_disk)
        self.people: list[Person] = []
        self.chats: list[str] = []
        self._numbers = itertools.count(1)

    async def go(self) -> Outcome:
        async with self.stage.set_up():
            return await self._go()

    async def _go(self) -> Outcome:
        self._people_and_chats()
        headers = [one.headers for one in self.people]
        nemesis = Nemesis(self.stage, self.plan.seed, headers)
        if unknown := set(self.plan.faults) - nemesis.faults().keys():
            raise ValueError(f"{self.plan.profile} has no {unknown}; only {list(nemesis.faults())}")
        until = time.monotonic() + self.plan.seconds
        async with AsyncExitStack() as stack:
            lives = [asyncio.create_task(one.live()) for one in self.people]
            for one in self.people:
                stack.push_async_callback(one.leave)
            work = [self._write(one, until) for one in self.people]
            await asyncio.gather(*work, self._strike(nemesis, until), self._revoke(until))
            await nemesis.rest()
            began = time.monotonic()
            findings = await self._quiet()
            if nemesis.longest_half_open > GONE_WITHIN:
                kept = f"{nemesis.longest_half_open:.0f} s"
                findings = {**findings, "dead connections that are kept": [kept]}
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
            nemesis.longest_half_open,
            quiet_after,
            TRACEBACK.findall(self.stage.server.log.read_text()),
        )

    def _people_and_chats(self) -> None:
        """All are in every chat; the first owns them and is never removed."""
        url = self.stage.proxy.url
        for number in range(self.plan.people):
            account = register(url, f"p{number}")
            self.people.append(Person(url, account, self.ledger, f"{self.plan.seed}.{number}"))
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
        """All of them again and again; a third are kills. The order is the seed's alone."""
        deck = list(self.plan.faults or nemesis.faults())
        kills = [name for name in deck if name.startswith("kill")]
        others = len(deck) - len(kills)
        while kills and 2 * (len(deck) - others) < others:
            deck += kills
        order = random.Random(f"{self.plan.seed} faults")
        while time.monotonic() < until:
            order.shuffle(deck)
            for name in deck:
                await asyncio.sleep(order.uniform(*self.plan.calm))
                if time.monotonic() >= until:
                    return
                await nemesis.strike(name)

    # Removals in the middle of it all

    async def _revoke(self, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(self.random.uniform(1, 3))
            person, chat = self.random.choice(self.people[1:]), self.random.choice(self.chats)
            await self._insist("DELETE", f"/chats/{chat}/members/{person.id}")
            absence = Absence(person.id, chat, await self._seat_version(person, chat))
            self.ledger.absences.append(absence)
            with suppress(*TROUBLE):
                answer = await person.http.get(f"/chats/{chat}/messages")
                if answer.status_code == 200:
                    self.ledger.answered_reads.append(f"{person.id} read {chat}")
            await asyncio.sleep(self.random.uniform(0, 1))
            absence.until = time.monotonic()
            await self._insist("POST", f"/chats/{chat}/members", json={"user_ids": [person.id]})

    async def _insist(self, method: str, path: str, **more: Any) -> None:
        """The owner asks until it is so; a member who is gone already is 404."""
        while True:
            with suppress(*TROUBLE):
                answer = await self.people[0].http.request(method, path, **more)
                if answer.is_success or answer.status_code == 404:
                    return
            await asyncio.sleep(0.3)

    async def _seat_version(self, person: Person, chat: str) -> int:
        query = "SELECT chat_id, user_id, version FROM memberships"
        while True:
            with suppress(*AWAY):
                seats = await asyncio.to_thread(self.stage.rows, query)
                found = {(id_of(one), id_of(user)): version for one, user, version in seats}
                return int(found[chat, person.id])
            await asyncio.sleep(0.1)

    # The end

    async def _quiet(self) -> Findings:
        """What is wrong once nothing happens any more; as early as nothing is."""
        deadline = time.monotonic() + QUIET_WITHIN
        while True:
            await asyncio.sleep(0.5)
            findings = check(self.ledger, await asyncio.to_thread(self.stage.truth))
            findings["people who are not back"] = [
                one.id for one in self.people if not one.is_up.is_set()
            ]
            if not any(findings.values()) or time.monotonic() > deadline:
                return findings
