"""How the servers are talked to over their sockets: dialects, handshakes and frames."""

import base64
import re
from typing import NamedTuple

from bench.plans import Seat

STAMP = re.compile(rb"sentat(\d{16})")
"""In each message: when it was sent, in microseconds of the driver's clock."""
STAMP_BYTES = 22
WORDS = " the boats leave at nine from the lower landing and come back before it is dark again"


class Dialect(NamedTuple):
    """How one of the servers is talked to.

    ``greeting`` ends connecting, ``delivered`` is in each message that comes, ``answered`` in each
    answer to a sender, ``refused`` in each that says no; without answers, messages that come to
    senders count. ``frame`` takes the numbers ``at`` and ``number``. ``ping`` begins the server's;
    its two bytes never follow each other in text frames of ASCII. ``at_once`` handshakes may be
    under way.
    """

    greeting: bytes
    delivered: bytes
    answered: bytes | None
    refused: bytes | None
    frame: str
    ping: bytes = b"\x89\x04"
    at_once: int = 200


DIALECTS = {
    "product": Dialect(
        greeting=b'"type":"hello"',
        delivered=b'"type":"message.created"',
        answered=b'{"type":"ok","ref":"sent"',
        refused=b'{"type":"error","ref":"sent"',
        frame='{"type":"message.send","ref":"sent","chat_id":"CHAT",'
        '"client_id":"%(at)016d-%(number)08d","content":"sentat%(at)016dWORDS"}',
    ),
    "tutorial": Dialect(
        greeting=b"\r\n\r\n",
        delivered=b'{"message": "',
        answered=None,
        refused=None,
        frame='{"message":"sentat%(at)016dWORDS"}',
        ping=b"\x89\x0c",
        at_once=40,  # of more than 50 that wait, some only try again a second later
    ),
    "node": Dialect(
        greeting=b'{"type":"hello"',
        delivered=b'{"message":"',
        answered=b'{"type":"ok"',
        refused=b'{"type":"error"',
        frame='{"message":"sentat%(at)016dWORDS"}',
    ),
}


def handshake(seat: Seat, host: str, port: int) -> bytes:
    lines = [
        f"GET {seat.path} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if seat.token:
        lines.append(f"Authorization: Bearer {seat.token}")
    return "\r\n".join([*lines, "", ""]).encode()


def frame(dialect: Dialect, chat: str) -> bytes:
    """A client's frame, whole but for its numbers, which are of a fixed length."""
    text = dialect.frame.replace("CHAT", chat).replace("WORDS", WORDS)
    size = len((text % {"at": 0, "number": 0}).encode())
    head = masked(0x81, bytes(size))[:-size]
    return head.replace(b"%", b"%%") + text.encode()


def masked(first: int, payload: bytes) -> bytes:
    """With a mask of zeros, which is no work here and as much as any other for the server."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([first]) + length + bytes(4) + payload
