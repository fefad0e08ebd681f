"""People who talk: W1 and W2, and W7 on two processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.load import Load
from bench.plans import Chats, Plan
from bench.systems import Bench, System
from bench.workloads.measured import Row, Spent, by_name, times

WATCHERS = 5
"""Of each chat, at most: whose delays are taken."""

OWN = "per server CPU-s"


@dataclass(frozen=True)
class Talk:
    """Chats of so many members, of whom some write; all listen.

    ``window`` is how many messages a sender has without an answer, where there is no ``pace``.
    The tutorial's has one: more would be lost in its layer.
    """

    name: str
    title: str
    chats: int
    members: int
    senders: int
    window: int = 0
    pace: float = 0
    counts_answers: bool = False
    rounds: ClassVar[int] = 100
    profiles: ClassVar[tuple[str, ...]] = ("services", "embedded")

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        for system in bench.named(("product", "tutorial", "node")):
            with bench.alone(system):
                row = self.run(system, seconds)
            yield row

    def compare(self, row: Row, rows: Sequence[Row]) -> str:
        return times(row, rows, ("tutorial", "node")) if row.system == "product" else ""

    def run(self, system: System, seconds: float) -> Row:
        with Load("bench.driver", self._plan(system, seconds)) as load:
            system.wait_until_quiet()
            spent = Spent(system)
            found = load.found()
        each = spent.each()
        count = found["acknowledged" if self.counts_answers else "delivered"]
        names = ("drained", "refused", "closed", "seconds")
        return Row(
            workload=self.name,
            system=system.name,
            unit="acknowledged" if self.counts_answers else "deliveries",
            rate=count / found["seconds"],
            per_cpu=count / sum(each.values()),
            p50=found["p50"],
            p99=found["p99"],
            late=found["late"],
            lost=found["lost"],
            mebibytes=system.mebibytes(),
            driver=found["cpu"] / found["seconds"],
            more={**{name: found[name] for name in names}, **by_name(each)},
        )

    def _plan(self, system: System, seconds: float) -> Plan:
        firsts = range(0, self.chats * self.members, self.members)
        chats: Chats = tuple(range(first, first + self.members) for first in firsts)
        watched = min(WATCHERS, self.members - self.senders)
        return Plan(
            ports=system.ports,
            dialect=system.name,
            seats=system.seats(self.chats * self.members, chats),
            seconds=seconds,
            senders=[person for chat in chats for person in chat[: self.senders]],
            watchers=[person for chat in chats for person in chat[-watched:]],
            window=min(self.window, 1) if system.name == "tutorial" else self.window,
            pace=self.pace,
        )


@dataclass(frozen=True)
class Processes:
    """One group on one process without Redis, then of twice the size on two with it.

    Each process has 200 of its members and half of its senders. Rates and CPU seconds are a
    process's: each delivers to its own sockets.
    """

    name: str
    title: str
    senders: int
    window: int = 0
    pace: float = 0
    rounds: ClassVar[int] = 100
    profiles: ClassVar[tuple[str, ...]] = ("services",)

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        with bench.product.changed(REDIS_URL=""):
            yield self._run(bench, seconds, "one without Redis")
        with bench.product.changed(servers=2):
            yield self._run(bench, seconds, "two with Redis")

    def compare(self, row: Row, rows: Sequence[Row]) -> str:
        one, other = rows[0], row
        if other is one:
            return ""
        by_server = other.more[OWN] / one.more[OWN]
        return f"{other.rate / one.rate:.2f} × one, {by_server:.2f} × one per server CPU-s"

    def _run(self, bench: Bench, seconds: float, name: str) -> Row:
        bench.wait_until_quiet()
        count = len(bench.product.servers)
        talk = Talk(self.name, self.title, 1, 200 * count, self.senders, self.window, self.pace)
        row = talk.run(bench.product, seconds)
        deliveries = row.rate * row.more["seconds"]
        row.more[OWN] = deliveries / row.more["server CPU s"]
        row.system, row.unit, row.rate = name, "deliveries a process", row.rate / count
        return row
