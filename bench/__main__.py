"""Ask the same of the product, of the tutorial's chat and of one on Node, in turns, and compare.

The workloads are those of bench/README.md. Nothing else may run on the machine.
"""

import argparse
import dataclasses
import json
import logging
import os
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.load import LoadFailed
from bench.systems import Bench
from bench.workloads import WORKLOADS, Row, Workload

HEAD = (
    "| | system | unit | a second | per CPU-s | beside | p50 ms | p99 ms | late | lost | MiB"
    " | driver | more |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)
NUMBERS = ("rate", "per_cpu", "p50", "p99", "late", "lost", "mebibytes", "driver")
BUSY = 0.7
"""A driver that is at work for more of the time may be what is measured."""
USUAL_LARGEST = 10_000_000


def main() -> None:
    logging.disable(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is to end with it
    asked = _parser().parse_args()
    chosen = [one for one in WORKLOADS if not asked.workload or _is_asked(one, asked.workload)]
    rows: list[Row] = []
    with ExitStack() as stack:
        bench = Bench(asked.profile, asked.messages, stack)
        began = time.monotonic()
        print(f"{asked.profile}, {os.cpu_count()} processors, {asked.rounds} × {asked.seconds} s")
        print(_without_node(asked.profile), end="")
        print(f"\n{HEAD}", flush=True)
        for workload in chosen:
            rows += _measure(workload, bench, asked.seconds, asked.rounds)
        print(f"\n{time.monotonic() - began:.0f} s in all")
    if asked.json:
        asked.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))


def _parser() -> argparse.ArgumentParser:
    names = sorted({name for one in WORKLOADS for name in (one.name, one.name.split()[0])})
    parser = argparse.ArgumentParser(
        prog="bin/bench", description=__doc__, epilog=f"Workloads: {', '.join(names)}."
    )
    parser.add_argument("--profile", choices=["services", "embedded"], default="services")
    parser.add_argument(
        "--workload", action="append", choices=names, metavar="NAME", help="only these"
    )
    parser.add_argument("--seconds", type=float, default=4, help="each round (4)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the medians count (3)")
    parser.add_argument(
        "--messages",
        type=int,
        default=USUAL_LARGEST,
        help="the largest installation of W5 (10000000, which takes minutes and 6 GB)",
    )
    parser.add_argument("--json", type=Path, help="a file for all rounds")
    return parser


def _is_asked(workload: Workload, names: Sequence[str]) -> bool:
    return workload.name in names or workload.name.split()[0] in names


def _without_node(profile: str) -> str:
    """Why there is no column of the chat on Node, where there is none."""
    if profile == "embedded":
        return "Without the chat on Node, which needs PostgreSQL and Redis.\n"
    reason = os.environ.get("NO_NODE")
    return f"Without the chat on Node: {reason}.\n" if reason else ""


def _measure(workload: Workload, bench: Bench, seconds: float, rounds: int) -> list[Row]:
    """All rounds, in turns: what else the machine does meets all. Prints the medians."""
    if bench.profile not in workload.profiles:
        print(f"| **{workload.name}** {workload.title} | not on this profile |", flush=True)
        return []
    rows: list[Row] = []
    try:
        for _ in range(min(rounds, workload.rounds)):
            rows += workload.round(bench, seconds)
    except LoadFailed as error:
        print(f"| **{workload.name}** {workload.title} | failed: {error} |", flush=True)
        return rows
    systems = dict.fromkeys(row.system for row in rows)
    medians = [_median([row for row in rows if row.system == one]) for one in systems]
    for row in medians:
        print(_line(row, workload, workload.compare(row, medians)))
    for row in medians:
        if row.driver > BUSY:
            print(f"\n{workload.name}, {row.system}: the driver was busy; it may be the limit.\n")
    sys.stdout.flush()
    return rows


def _median(rows: list[Row]) -> Row:
    numbers = {name: statistics.median(getattr(row, name) for row in rows) for name in NUMBERS}
    more = {name: statistics.median(row.more[name] for row in rows) for name in rows[0].more}
    return dataclasses.replace(rows[0], **numbers, more=more)


def _line(row: Row, workload: Workload, beside: str) -> str:
    cells = [
        f"**{workload.name}** {workload.title}",
        row.system,
        row.unit,
        _number(row.rate),
        _number(row.per_cpu),
        beside,
        _number(row.p50, 1),
        _number(row.p99, 1),
        f"{row.late:,.0f}",
        f"{row.lost:,.0f}",
        _number(row.mebibytes),
        _number(row.driver, 2),
        ", ".join(f"{name} {value:,.2f}" for name, value in row.more.items()),
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float, digits: int = 0) -> str:
    """Nothing where nothing was measured."""
    return f"{value:,.{digits}f}" if value else ""


if __name__ == "__main__":
    main()
