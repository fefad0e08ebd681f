"""What was tried, and what was seen: the books that the checker goes through in the end."""

import math
import time
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Outcome = Literal["unknown", "ok", "failed"]


@dataclass
class Send:
    """One message that somebody wants to be stored once, however often they have to ask.

    ``turn`` counts what went out over one connection; 0 where it was asked for again.
    """

    sender: str
    chat: str
    client_id: str
    connection: int
    turn: int
    outcome: Outcome = "unknown"
    seq: int = 0
    at: float = field(default_factory=time.monotonic)
    """When it was first asked for."""


@dataclass(frozen=True)
class Event:
    """A numbered event as it came over an open socket; ``at`` in seconds, by this clock."""

    connection: int
    chat: str
    version: int
    kind: str
    at: float
    client_id: str = ""


class Held(NamedTuple):
    """A message as somebody holds it; of two the one with the higher version."""

    version: int
    client_id: str
    content: str


@dataclass
class Stored:
    """A message as the server has it in the end."""

    chat: str
    seq: int
    sender: str
    held: Held


@dataclass
class Truth:
    """The end: all messages, each chat's last version, and who is in it."""

    messages: list[Stored]
    versions: dict[str, int]
    members: dict[str, set[str]]


@dataclass
class Absence:
    """Somebody was out of a chat after a version, until ``until``, when they were asked back.

    From then on they may read what was said meanwhile.
    """

    person: str
    chat: str
    since: int
    until: float = math.inf


@dataclass
class Book:
    """What one person saw: ``known`` is what they hold of each chat, by seq."""

    person: str
    events: list[Event] = field(default_factory=list)
    known: dict[str, dict[int, Held]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    holes: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    sends: dict[str, Send] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    absences: list[Absence] = field(default_factory=list)
    answered_reads: list[str] = field(default_factory=list)
    """What was answered to somebody who was out already."""
