"""bin/chaos: runs both profiles against all faults, and prints what was found as a table."""

import argparse
import asyncio
import logging
import sys

from chaos.crowd import come_back
from chaos.run import Outcome, Plan, Run
from chaos.soak import Soak
from chaos.soak import table as table_of_soak
from chaos.stage import Daphne
from chaos.stall import Stall
from chaos.stall import table as table_of_stall
from chatproject.testing import Server

SERVERS = {"uvicorn": Server, "daphne": Daphne}


def main() -> int:
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(prog="bin/chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for each profile")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", action="append", choices=["services", "embedded"])
    parser.add_argument("--server", choices=SERVERS, default="uvicorn")
    parser.add_argument("--fault", action="append", default=[], help="only these")
    parser.add_argument("--pace", type=float, default=20, help="messages a second of --soak")
    others = parser.add_mutually_exclusive_group()
    others.add_argument("--soak", action="store_true", help="no faults: what a long day costs")
    others.add_argument("--crowd", action="store_true", help="only: 1,000 who come back at once")
    others.add_argument("--stall", action="store_true", help="only: one reader who takes nothing")
    asked = parser.parse_args()
    profiles = asked.profile or ["services", "embedded"]
    run = _soak if asked.soak else _crowd if asked.crowd else _stall if asked.stall else _run
    are_fine = [run(profile, asked) for profile in profiles]
    return 0 if all(are_fine) else 1


def _run(profile: str, asked: argparse.Namespace) -> bool:
    faults = tuple(asked.fault)
    plan = Plan(profile, asked.minutes * 60, SERVERS[asked.server], seed=asked.seed, faults=faults)
    outcome = asyncio.run(Run(plan).go())
    print(table(outcome), flush=True)
    return outcome.is_fine


def _crowd(profile: str, asked: argparse.Namespace) -> bool:
    seconds = asyncio.run(come_back(profile))
    print(f"{profile}: 1,000 who come back at once have all after {seconds:.1f} s", flush=True)
    return seconds < 60


def _soak(profile: str, asked: argparse.Namespace) -> bool:
    soak = Soak(profile, asked.minutes * 60, asked.pace, asked.seed)
    asyncio.run(soak.go())
    print(table_of_soak(soak), flush=True)
    return soak.is_fine


def _stall(profile: str, asked: argparse.Namespace) -> bool:
    stall = Stall(profile, asked.minutes * 60)
    asyncio.run(stall.go())
    print(table_of_stall(stall), flush=True)
    return stall.is_fine


def table(outcome: Outcome) -> str:
    plan, sends = outcome.plan, outcome.sends
    rows = [
        (f"**{plan.profile}**", f"{plan.seconds / 60:.1f} min, seed {plan.seed}"),
        ("kills", outcome.kills),
        *sorted(outcome.faults.items()),
        ("acknowledged messages", sends["ok"]),
        ("refused, unknown", f"{sends['failed']}, {sends['unknown']}"),
        ("events", f"{outcome.events} over {outcome.connections} connections"),
        ("longest half-open connection", f"{outcome.longest_half_open:.0f} s"),
        ("all have all after", f"{outcome.quiet_after:.1f} s"),
        ("tracebacks in the log", len(outcome.tracebacks)),
        *((name, len(found)) for name, found in outcome.findings.items()),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    for name, found in outcome.findings.items():
        lines += [f"{name}: {one}" for one in found[:10]]
    return "\n".join([*lines, *outcome.tracebacks[:10]])


if __name__ == "__main__":
    sys.exit(main())
