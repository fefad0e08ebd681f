"""REST: W4."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bench.load import Load
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
