"""The table of bad input, read from the text files beside it: their first one says how."""

import re
from pathlib import Path
from typing import Any, NamedTuple


class Case(NamedTuple):
    """One line: what is asked by whom, and the error that has to come."""

    place: str
    status: str
    code: str
    attr: str | None
    who: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def asked(self) -> tuple[Any, ...]:
        """All but the answer: no two cases have the same."""
        return self.who, self.method, self.path, self.headers, " ".join(self.body.split())

    @property
    def is_frame(self) -> bool:
        return self.method == "frame"

    @property
    def frame_type(self) -> str | None:
        kind = re.search(r'"type": "([a-z.]+)"', self.body)
        return kind[1] if self.is_frame and kind else None


def read(line: str, place: str) -> Case:
    """A line of the table: ``status code attr who METHOD /path [Header:value ...] [body]``."""
    columns = line.split(maxsplit=5)
    assert len(columns) >= 5, f"{place} lacks a column: {line}"
    status, code, attr, who, method, rest = [*columns, ""][:6]
    path, headers = "", []
    if method != "frame":
        path, rest = [*rest.split(maxsplit=1), ""][:2]
        while header := re.match(r"([A-Z][A-Za-z-]+):(\S+) *", rest):
            headers.append((header[1], header[2]))
            rest = rest[header.end() :]
    named = None if attr == "-" else attr
    return Case(place, status, code, named, who, method, path, tuple(headers), rest)


CASES = [
    read(line, f"{file.name}:{number}")
    for file in sorted(Path(__file__).parent.glob("*.txt"))
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
    if line and not line.startswith("#")
]
