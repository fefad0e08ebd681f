"""Ways out to a peer: frames that were built once, many of them in one write."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

EXTENSION = "chat.wire"
"""Of an ASGI scope: where a server that has it offers a faster way than ``send``."""

TEXT = 0x81


class Wire(Protocol):
    """Takes frames, joined. Only while it ``is_free`` may they be written at once."""

    @property
    def is_free(self) -> bool: ...

    def write(self, frames: bytes) -> None: ...

    async def send(self, frames: bytes) -> None:
        """Waits until the peer takes them. Raises whatever says that it is gone."""

    async def close(self, code: int) -> None: ...


class SendWire:
    """Over ASGI's ``send``, where the server has nothing better: a call a frame."""

    is_free = False

    def __init__(self, send: Callable[[Any], Awaitable[None]]) -> None:
        self._send = send

    def write(self, frames: bytes) -> None:
        raise NotImplementedError

    async def send(self, frames: bytes) -> None:
        for text in texts_in(frames):
            await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})


def wire_of(scope: Any, send: Callable[[Any], Awaitable[None]]) -> Wire:
    wire: Wire | None = scope.get("extensions", {}).get(EXTENSION)
    return wire or SendWire(send)


def framed(payload: bytes) -> bytes:
    """A text frame as RFC 6455 has it. A server masks nothing: all peers get the same bytes."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    if size < 2**16:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + payload


def texts_in(frames: bytes) -> Iterator[str]:
    """What ``framed`` was given, one after the other."""
    at = 0
    while at < len(frames):
        size, start = frames[at + 1], at + 2
        if size > 125:
            start += 2 if size == 126 else 8
            size = int.from_bytes(frames[at + 2 : start], "big")
        at = start + size
        yield frames[start:at].decode()
