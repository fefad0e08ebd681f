"""What a workload is, and what one round of it finds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from bench.systems import Bench, System


@dataclass
class Row:
    """One round on one system.

    ``rate`` counts ``unit`` a second, ``per_cpu`` a second of processor time of server, Redis and
    PostgreSQL together. The delays are in ms. ``driver`` is the share of the time in which the
    driver was at work. ``more`` is what only this workload has.
    """

    workload: str
    system: str
    unit: str
    rate: float = 0
    per_cpu: float = 0
    p50: float = 0
    p99: float = 0
    late: float = 0
    lost: float = 0
    mebibytes: float = 0
    driver: float = 0
    more: dict[str, float] = field(default_factory=dict)


class Workload(Protocol):
    rounds: ClassVar[int]
    """At most so many: some take long and vary little."""
    profiles: ClassVar[tuple[str, ...]]

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def round(self, bench: Bench, seconds: float) -> Iterator[Row]:
        """A row for each of those that are compared."""

    def compare(self, row: Row, rows: Sequence[Row]) -> str:
        """What this row is beside the others of its workload, in words."""


class Spent:
    """Processor seconds of a system since this was made."""

    def __init__(self, system: System) -> None:
        self._system, self._before = system, system.cpu()

    def each(self) -> dict[str, float]:
        return {name: used - self._before[name] for name, used in self._system.cpu().items()}


def by_name(each: dict[str, float]) -> dict[str, float]:
    return {f"{name} CPU s": used for name, used in each.items()}


def times(row: Row, rows: Sequence[Row], names: Sequence[str]) -> str:
    """How many times what these have a CPU second this one has."""
    others = [one for one in rows if one.system in names and one is not row and one.per_cpu]
    return ", ".join(f"{row.per_cpu / one.per_cpu:.2f} × {one.system}" for one in others)
