"""What it takes to be there: W3, sockets that do nothing, and W6, a server that does nothing."""

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import ClassVar

from bench.load import Load
from bench.plans import Plan
from bench.processes import pss_mebibytes
from bench.systems import Bench, System
from bench.workloads.measured import Row, Spent, by_name, times
from chatproject.testing.stage import Server

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
            with bench.alone(system):
                row = self._run(system, seconds)
            yield row

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


class Run(Server):
    """An installation without any service, as README.md has it started."""

    SECONDS: ClassVar[float] = 60

    def __init__(self, folder: str) -> None:
        nothing = {"DATABASE_URL": "", "REDIS_URL": "", "WORKERS": ""}
        super().__init__(DATA_DIR=folder, **nothing)
        self.took = 0.0

    def command(self) -> list[str]:
        return ["bin/run"]

    def start(self) -> None:
        """``took`` is how many seconds that was."""
        began = time.monotonic()
        super().start()
        self.took = time.monotonic() - began

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + self.SECONDS
        while not self._is_ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            connection = HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False


@dataclass(frozen=True)
class Start:
    """How long it is until the server says that it is ready, and what it holds while idle."""

    name: str
    title: str
    rounds: ClassVar[int] = 5
    profiles: ClassVar[tuple[str, ...]] = ("services", "embedded")

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        bench.wait_until_quiet()
        with tempfile.TemporaryDirectory(prefix="chat-bench-") as folder:
            server = Run(folder)
            server.start()
            first = server.took
            server.stop()
            server.start()
            try:
                time.sleep(seconds)
                mebibytes = pss_mebibytes(server.processes())
            finally:
                server.stop()
        more = {"s to ready": server.took, "s the first time": first}
        yield Row(self.name, "bin/run", "", mebibytes=mebibytes, more=more)

    def compare(self, row: Row, rows: Sequence[Row]) -> str:
        return ""
