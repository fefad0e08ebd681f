"""One socket of the load: what it is for, and what it has heard."""

import socket
from dataclasses import dataclass, field

TAIL = 32
"""Bytes of the last read that are looked at again: what is searched for may lie across two."""


@dataclass(slots=True)
class Client:
    """``frame`` is of senders alone."""

    connection: socket.socket
    chat: str
    tail: bytearray = field(default_factory=lambda: bytearray(TAIL))
    is_greeted: bool = False
    is_open: bool = True
    is_watcher: bool = False
    delivered: int = 0
    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    given_up: int = 0
    heard_at: float = 0
    frame: bytes | None = None
