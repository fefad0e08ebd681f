"""What a load is to do, and what it found: what a driver is told, and what it tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Chats = tuple[Sequence[int], ...]
"""Who is in each chat, by number."""


class Made(NamedTuple):
    """Access tokens by person, and ids by chat."""

    tokens: list[str]
    chat_ids: list[str]


@dataclass
class Seat:
    """A socket: where it connects, as whom, and the chat that it writes to and counts."""

    path: str
    chat: str
    token: str = ""


@dataclass
class Plan:
    """``senders`` and ``watchers``, whose delays are taken, are indices of ``seats``.

    Either each sender has up to ``window`` messages without an answer, and so many times the
    senders of a chat are without a delivery; or they take turns at ``pace`` messages a second in
    all. Without senders, it listens. The seats take the ``ports`` in turns.
    """

    ports: list[int]
    dialect: str
    seats: list[Seat]
    seconds: float
    senders: list[int] = field(default_factory=list)
    watchers: list[int] = field(default_factory=list)
    window: int = 0
    pace: float = 0
    host: str = "127.0.0.1"


@dataclass
class Connected:
    """``cpu`` is the driver's own, in seconds, here and below."""

    seconds: float
    cpu: float


@dataclass
class Found:
    """``seconds`` lie between the first send and the last delivery; the delays are in ms.

    Of what was to be delivered and was not refused, ``late`` came more than ten seconds after
    the last send, or was still coming when the driver stopped waiting; ``lost`` never came.
    ``drained`` are the seconds from the last send until the last delivery.
    """

    sent: int
    acknowledged: int
    refused: int
    delivered: int
    late: int
    lost: int
    closed: int
    seconds: float
    drained: float
    p50: float
    p99: float
    cpu: float


@dataclass
class RestPlan:
    """One client a token. ``body`` is what they post, nothing where they get."""

    port: int
    path: str
    tokens: list[str]
    seconds: float
    body: str = ""


@dataclass
class RestFound:
    """The delays are in ms."""

    answered: int
    refused: int
    seconds: float
    p50: float
    p99: float
    cpu: float
