"""What processes cost: processor time and memory, from /proc."""

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
PARENT, TIMES = 1, slice(11, 15)
"""Fields of ``stat`` after the name; the times are its own and those of children that ended."""


def cpu_seconds(root: int) -> float:
    """What a process and all below it have used, ended ones included; of the system's, too."""
    facts = {int(path.name): _facts(path) for path in Path("/proc").glob("[0-9]*")}
    wanted, total = [root], 0
    while wanted:
        pid = wanted.pop()
        total += sum(map(int, facts.get(pid, [])[TIMES]))
        wanted += [child for child, found in facts.items() if found and int(found[PARENT]) == pid]
    return total * TICK


def _facts(path: Path) -> list[str]:
    """Nothing of a process that has ended since."""
    try:
        return (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def pss_mebibytes(pids: list[int]) -> float:
    """The memory of all of these; what several share is divided among them."""
    return sum(map(_pss_kibibytes, pids)) / 1024


def _pss_kibibytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
