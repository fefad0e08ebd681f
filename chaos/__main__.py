"""bin/chaos: runs both profiles against all faults, and prints what was found as a table."""

import argparse
import asyncio
import logging
import sys

from chaos.run import Outcome, Plan, Run


def main() -> int:
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(prog="bin/chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for each profile")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", choices=["services", "embedded", "daphne"])
    parser.add_argument("--fault", action="append", default=[], help="only these")
    asked = parser.parse_args()
    is_fine = True
    for profile in [asked.profile] if asked.profile else ["services", "embedded"]:
        plan = Plan(profile, asked.minutes * 60, seed=asked.seed, faults=tuple(asked.fault))
        outcome = asyncio.run(Run(plan).go())
        print(table(outcome), flush=True)
        is_fine = is_fine and not any(outcome.findings.values())
    return 0 if is_fine else 1


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
        ("tracebacks in the log", outcome.tracebacks),
        *((name, len(found)) for name, found in outcome.findings.items()),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""]
    for name, found in outcome.findings.items():
        lines += [f"{name}: {one}" for one in found[:10]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
