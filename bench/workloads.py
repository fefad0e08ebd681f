"""What is asked of both systems, by the names of the targets: W1 to W4."""

import dataclasses
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from bench.driver import Plan
from bench.rest_driver import Plan as RestPlan
from bench.systems import Chats, Product, System
from chatproject.testing.stage import ROOT

WATCHERS = 5
"""Of each chat, at most: whose delays are taken."""
FIRST = 100
"""Sockets that a new server has had before memory is looked at: what it loads once is loaded."""


@dataclass
class Row:
    """One round on one system.

    ``rate`` counts ``unit`` a second, ``per_cpu`` a second of processor time of server, Redis and
    PostgreSQL together. The delays are in ms. ``more`` is what only this workload has.
    """

    workload: str
    system: str
    unit: str
    rate: float
    per_cpu: float
    p50: float
    p99: float
    lost: float
    mebibytes: float
    driver_cpu: float
    more: dict[str, float] = field(default_factory=dict)


class Workload(Protocol):
    systems: ClassVar[tuple[str, ...]]
    """Whom it can be asked of."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def run(self, system: System, seconds: float) -> Row: ...


class Load:
    """A driver, in a process of its own."""

    def __init__(self, module: str, plan: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say(json.dumps(dataclasses.asdict(plan)))
        self._hear()  # connected

    def found(self) -> dict[str, Any]:
        """Lets it begin, and waits for its end."""
        self._say("")
        found = json.loads(self._hear())
        self._process.wait()
        return dict(found)

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The driver has failed: it says above why.")
        return line


class Spent:
    """Processor seconds of a system since this was made."""

    def __init__(self, system: System) -> None:
        self._system, self._before = system, system.cpu()

    def each(self) -> dict[str, float]:
        return {name: used - self._before[name] for name, used in self._system.cpu().items()}


@dataclass(frozen=True)
class Talk:
    """Chats of so many members, of whom some write; all listen.

    ``window`` is how many messages a sender has without an answer, where there is no ``pace``.
    The baseline has one: more would be lost in its layer.
    """

    name: str
    title: str
    chats: int
    members: int
    senders: int
    window: int = 0
    pace: float = 0
    counts_answers: bool = False
    systems: ClassVar[tuple[str, ...]] = ("product", "baseline")

    def run(self, system: System, seconds: float) -> Row:
        load = Load("bench.driver", self._plan(system, seconds))
        system.wait_until_quiet()
        spent = Spent(system)
        found = load.found()
        each = spent.each()
        count = found["acknowledged" if self.counts_answers else "delivered"]
        return Row(
            workload=self.name,
            system=system.name,
            unit="acknowledged" if self.counts_answers else "deliveries",
            rate=count / found["seconds"],
            per_cpu=count / sum(each.values()),
            p50=found["p50"],
            p99=found["p99"],
            lost=found["lost"],
            mebibytes=system.server.mebibytes(),
            driver_cpu=found["cpu"],
            more={"closed": found["closed"], **_cpu(each), "seconds": found["seconds"]},
        )

    def _plan(self, system: System, seconds: float) -> Plan:
        firsts = range(0, self.chats * self.members, self.members)
        chats: Chats = tuple(range(first, first + self.members) for first in firsts)
        watched = min(WATCHERS, self.members - self.senders)
        return Plan(
            port=system.server.port,
            dialect=system.name,
            seats=system.seats(self.chats * self.members, chats),
            seconds=seconds,
            senders=[person for chat in chats for person in chat[: self.senders]],
            watchers=[person for chat in chats for person in chat[-watched:]],
            window=min(self.window, 1) if system.name == "baseline" else self.window,
            pace=self.pace,
        )


def _cpu(each: dict[str, float]) -> dict[str, float]:
    return {f"{name} CPU": used for name, used in each.items()}


@dataclass(frozen=True)
class Idle:
    """Sockets that do nothing, each in some chats: what it takes to open and to keep them."""

    name: str
    title: str
    sockets: int
    chats_each: int
    members: int = 100
    systems: ClassVar[tuple[str, ...]] = ("product", "baseline")

    def run(self, system: System, seconds: float) -> Row:
        plan = self._plan(system, seconds)
        system.restart()
        Load("bench.driver", dataclasses.replace(plan, seats=plan.seats[:FIRST], seconds=0)).found()
        system.wait_until_quiet()
        before, began, spent = system.server.mebibytes(), time.monotonic(), Spent(system)
        load = Load("bench.driver", plan)
        took, each = time.monotonic() - began, spent.each()
        system.wait_until_quiet()
        idle = Spent(system)
        found = load.found()
        after = system.server.mebibytes()
        return Row(
            workload=self.name,
            system=system.name,
            unit="connected",
            rate=self.sockets / took,
            per_cpu=self.sockets / sum(each.values()),
            p50=0,
            p99=0,
            lost=found["closed"],
            mebibytes=after,
            driver_cpu=found["cpu"],
            more={
                "KiB a socket": (after - before) * 1024 / self.sockets,
                "idle CPU %": 100 * sum(idle.each().values()) / found["seconds"],
                **_cpu(each),
            },
        )

    def _plan(self, system: System, seconds: float) -> Plan:
        count = self.sockets * self.chats_each // self.members
        everybody = [*range(self.sockets), *range(self.members)]
        firsts = (number * self.members // 2 % self.sockets for number in range(count))
        chats = tuple(tuple(everybody[first : first + self.members]) for first in firsts)
        seats = system.seats(self.sockets, chats)
        return Plan(system.server.port, system.name, seats, seconds)


@dataclass(frozen=True)
class Rest:
    """Clients of REST, each in a hundred chats, that ask again as soon as they are answered."""

    name: str
    title: str
    path: str
    body: str = ""
    systems: ClassVar[tuple[str, ...]] = ("product",)

    CLIENTS: ClassVar[int] = 16
    CHATS: ClassVar[int] = 100
    MESSAGES: ClassVar[int] = 60

    def run(self, system: System, seconds: float) -> Row:
        assert isinstance(system, Product)
        made = system.made(self.CLIENTS, (range(self.CLIENTS),) * self.CHATS, self.MESSAGES)
        path = self.path.format(chat=made.chat_ids[0])
        plan = RestPlan(system.server.port, path, made.tokens, seconds, self.body)
        load = Load("bench.rest_driver", plan)
        spent = Spent(system)
        found = load.found()
        each = spent.each()
        return Row(
            workload=self.name,
            system=system.name,
            unit="answers",
            rate=found["answered"] / found["seconds"],
            per_cpu=found["answered"] / sum(each.values()),
            p50=found["p50"],
            p99=found["p99"],
            lost=found["refused"],
            mebibytes=system.server.mebibytes(),
            driver_cpu=found["cpu"],
            more=_cpu(each),
        )


MESSAGE = '{"content": "the boats leave at nine from the lower landing and come back before dark"}'
WORKLOADS: tuple[Workload, ...] = (
    Talk("W1", "one group of 200, saturated", 1, 200, senders=20, window=10),
    Talk("W1b", "one group of 200, 100 messages/s", 1, 200, senders=20, pace=100),
    Talk("W1c", "one group of 1,000, saturated", 1, 1_000, senders=20, window=5),
    Talk("W2", "200 pairs, saturated", 200, 2, senders=1, window=4, counts_answers=True),
    Talk("W2b", "200 pairs, 800 messages/s", 200, 2, senders=1, pace=800, counts_answers=True),
    Rest("W4 post", "16 clients post a message", "/chats/{chat}/messages", MESSAGE),
    Rest("W4 history", "16 clients read 50 messages", "/chats/{chat}/messages?limit=50"),
    Rest("W4 chats", "16 clients read 100 chats", "/chats?limit=100"),
    Idle("W3", "5,000 idle sockets, each in 20 chats", 5_000, chats_each=20),
)
