"""What it takes to be there: W3, sockets that do nothing."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.load import Load
from bench.plans import Plan
from bench.systems import Bench, System
from bench.workloads.measured import Row, Spent, by_name, times

FIRST = 100
"""Sockets that a new server has had before memory is looked at: what it loads once is loaded."""


@dataclass(frozen=True)
class Idle:
    """Sockets that do nothing, each in some chats: what it takes to open and to keep them."""

    name: str
    title: str
    sockets: int
    chats_each: int
    members: int = 100
    rounds: ClassVar[int] = 1
    profiles: ClassVar[tuple[str, ...]] = ("services", "embedded")

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        for system in bench.named(("product", "tutorial", "node")):
            yield self._run(system, seconds)

    def compare(self, row: Row, rows: Sequence[Row]) -> str:
        return times(row, rows, ("tutorial", "node")) if row.system == "product" else ""

    def _run(self, system: System, seconds: float) -> Row:
        plan = self._plan(system, seconds)
        system.restart()
        with Load("bench.driver", dataclasses.replace(plan, seats=plan.seats[:FIRST])):
            system.wait_until_quiet()
        system.wait_until_quiet()
        before, spent = system.mebibytes(), Spent(system)
        with Load("bench.driver", plan) as load:
            each = spent.each()
            system.wait_until_quiet()
            idle = Spent(system)
            found, after = load.found(), system.mebibytes()
            idle_each = idle.each()
        took = load.connected["seconds"]
        return Row(
            workload=self.name,
            system=system.name,
            unit="connected",
            rate=self.sockets / took,
            per_cpu=self.sockets / sum(each.values()),
            lost=found["closed"],
            mebibytes=after,
            driver=load.connected["cpu"] / took,
            more={
                "KiB a socket": (after - before) * 1024 / self.sockets,
                "idle CPU %": 100 * sum(idle_each.values()) / found["seconds"],
                **by_name(each),
            },
        )

    def _plan(self, system: System, seconds: float) -> Plan:
        count = self.sockets * self.chats_each // self.members
        everybody = [*range(self.sockets), *range(self.members)]
        firsts = (number * self.members // 2 % self.sockets for number in range(count))
        chats = tuple(tuple(everybody[first : first + self.members]) for first in firsts)
        seats = system.seats(self.sockets, chats)
        return Plan(system.ports, system.name, seats, seconds)
