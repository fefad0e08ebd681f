"""bin/bench: asks the same of the product and of the tutorial's chat, in turns, and compares."""

import argparse
import dataclasses
import json
import logging
import os
import signal
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path

from bench.systems import System, set_up
from bench.workloads import WORKLOADS, Row, Workload

HEAD = (
    "| | system | unit | a second | per CPU-s | × baseline | p50 ms | p99 ms | lost | MiB"
    " | driver CPU s | more |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
)
NUMBERS = ("rate", "per_cpu", "p50", "p99", "lost", "mebibytes", "driver_cpu")


def main() -> None:
    logging.disable(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is to end with it
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--profile", choices=["services", "embedded"], default="services")
    parser.add_argument("--workload", action="append", choices=names, help="only these")
    parser.add_argument("--seconds", type=float, default=10, help="each round")
    parser.add_argument("--rounds", type=int, default=3, help="of which the medians count")
    parser.add_argument("--json", type=Path, help="a file for all rounds")
    asked = parser.parse_args()
    chosen = [one for one in WORKLOADS if one.name in (asked.workload or names)]
    rows: list[Row] = []
    with ExitStack() as stack:
        systems = set_up(asked.profile, stack)
        print(f"{asked.profile}, {os.cpu_count()} processors, {asked.rounds} × {asked.seconds} s")
        print(f"\n{HEAD}", flush=True)
        for workload in chosen:
            found = measure(workload, systems, asked.seconds, asked.rounds)
            rows += found
            print("\n".join(lines(workload, found)), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))


def measure(workload: Workload, systems: list[System], seconds: float, rounds: int) -> list[Row]:
    """All rounds, in turns: what else the machine does meets both."""
    able = [system for system in systems if system.name in workload.systems]
    found = []
    for system in able * rounds:
        for one in systems:
            one.wait_until_quiet()
        found.append(workload.run(system, seconds))
    return found


def lines(workload: Workload, rows: list[Row]) -> list[str]:
    medians = [_median([row for row in rows if row.system == one]) for one in workload.systems]
    return [_line(row, medians[-1], workload) for row in medians]


def _median(rows: list[Row]) -> Row:
    numbers = {name: statistics.median(getattr(row, name) for row in rows) for name in NUMBERS}
    more = {name: statistics.median(row.more[name] for row in rows) for name in rows[0].more}
    return dataclasses.replace(rows[0], **numbers, more=more)


def _line(row: Row, baseline: Row, workload: Workload) -> str:
    ratio = f"{row.per_cpu / baseline.per_cpu:.1f}" if len(workload.systems) > 1 else ""
    cells = [
        f"**{workload.name}** {workload.title}",
        row.system,
        row.unit,
        f"{row.rate:,.0f}",
        f"{row.per_cpu:,.0f}",
        ratio,
        f"{row.p50:.1f}",
        f"{row.p99:.1f}",
        f"{row.lost:,.0f}",
        f"{row.mebibytes:.0f}",
        f"{row.driver_cpu:.1f}",
        ", ".join(f"{name} {value:,.1f}" for name, value in row.more.items()),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
