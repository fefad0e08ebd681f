"""REST: W4, and W5, which is W4's reads where there is much."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, NamedTuple

from bench.growth import Grown
from bench.load import ROOT, Load
from bench.plans import RestPlan
from bench.processes import cpu_seconds
from bench.systems import Bench, System
from bench.workloads.measured import Row, Spent, by_name, times

CLIENTS = 16


@dataclass(frozen=True)
class Rest:
    """Clients of REST, each in a hundred chats, that ask again as soon as they are answered."""

    name: str
    title: str
    path: str
    body: str = ""
    rounds: ClassVar[int] = 100
    profiles: ClassVar[tuple[str, ...]] = ("services", "embedded")

    CHATS: ClassVar[int] = 100
    MESSAGES: ClassVar[int] = 60

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        yield self._run(bench, seconds, "one worker")
        if bench.profile == "services":
            with bench.product.changed(WORKERS="2"):
                yield self._run(bench, seconds, "two workers")

    def compare(self, row: Row, rows: Sequence[Row]) -> str:
        return times(row, rows, ("one worker",))

    def _run(self, bench: Bench, seconds: float, name: str) -> Row:
        bench.wait_until_quiet()
        made = bench.product.made(CLIENTS, (range(CLIENTS),) * self.CHATS, self.MESSAGES)
        path = self.path.format(chat=made.chat_ids[0])
        plan = RestPlan(bench.product.ports[0], path, made.tokens, seconds, self.body)
        workers = bench.product.servers[0].workers()
        before = [cpu_seconds(pid) for pid in workers]
        row = ask(bench.product, plan)
        used = [cpu_seconds(pid) - was for pid, was in zip(workers, before, strict=True)]
        row.workload, row.system = self.name, name
        row.more["busiest worker's share"] = max(used) / sum(used)
        return row


def ask(system: System, plan: RestPlan) -> Row:
    """Without the names of workload and system."""
    with Load("bench.rest_driver", plan) as load:
        spent = Spent(system)
        found = load.found()
    each = spent.each()
    return Row(
        workload="",
        system="",
        unit="answers",
        rate=found["answered"] / found["seconds"],
        per_cpu=found["answered"] / sum(each.values()),
        p50=found["p50"],
        p99=found["p99"],
        lost=found["refused"],
        mebibytes=system.mebibytes(),
        driver=found["cpu"] / found["seconds"],
        more=by_name(each),
    )


class Many:
    """Rows of which the first has least: by how much more CPU an answer of the others takes."""

    rounds: ClassVar[int] = 2
    profiles: ClassVar[tuple[str, ...]] = ("services", "embedded")

    def compare(self, row: Row, rows: Sequence[Row]) -> str:
        if row is rows[0]:
            return ""
        return f"{rows[0].per_cpu / row.per_cpu:.2f} × the CPU an answer"


@dataclass(frozen=True)
class InChats(Many):
    """So many of somebody's chats, who is in few or in many."""

    name: str
    title: str
    counts: tuple[int, ...]
    limit: int

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        from bench.queries import queries_for

        path = f"/chats?limit={self.limit}"
        for count in self.counts:
            token = bench.product.made(2, (range(2),) * count, 10).tokens[0]
            bench.wait_until_quiet()
            plan = RestPlan(bench.product.ports[0], path, [token] * CLIENTS, seconds)
            row = ask(bench.product, plan)
            row.workload, row.system = self.name, f"in {count:,} chats"
            row.more["queries"] = queries_for(path, token)
            yield row


class Place(NamedTuple):
    system: System
    grown: Grown


@dataclass(frozen=True)
class Growth(Many):
    """One read of installations of ever more messages, half of them in the chat that is read."""

    name: str
    title: str
    read: str

    SIZES: ClassVar[tuple[int, ...]] = (10_000, 1_000_000, 10_000_000)

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        places = {size: grown(bench, size) for size in self.SIZES if size <= bench.largest}
        for size, (system, made) in places.items():
            bench.wait_until_quiet()
            path = made.paths[self.read]
            row = ask(system, RestPlan(system.ports[0], path, made.tokens, seconds))
            row.workload, row.system = self.name, f"{size:,} messages"
            row.more["queries"] = made.queries[self.read]
            yield row


@cache
def grown(bench: Bench, messages: int) -> Place:
    """The product on an installation of so many messages, made at the first call."""
    environment = bench.installation(f"grown{messages}")
    system = bench.serve(environment)
    made = subprocess.run(
        [sys.executable, "-m", "bench.growth", str(messages)],
        cwd=ROOT,
        env=system.servers[0].inherited(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Place(system, Grown(**json.loads(made.stdout)))
