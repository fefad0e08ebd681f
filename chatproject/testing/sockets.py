"""The other end of a socket."""

import asyncio
import contextlib
import itertools
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import websockets

from chatproject.testing.frames import Dialogue

NUMBERED = (
    "message.created",
    "message.updated",
    "message.deleted",
    "chat.updated",
    "member.joined",
    "member.left",
    "member.updated",
    "superseded",
)
"""The events that count a chat's versions."""


class SocketClient:
    """A socket's other end. Keeps every frame in ``frames``, in order, if it keeps the contract."""

    hello: dict[str, Any]

    def __init__(self, ws: websockets.ClientConnection) -> None:
        self.ws = ws
        self.frames: list[dict[str, Any]] = []
        self._dialogue = Dialogue()
        self._refs = itertools.count(1)
        self._taken = 0

    async def send(self, kind: str, **fields: Any) -> None:
        await self.send_as_is(json.dumps({"type": kind, **fields}))

    async def send_as_is(self, data: str | bytes) -> None:
        self._dialogue.sent(data)
        await self.ws.send(data)

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Sends a frame and returns the answer to it, ``ok`` or ``error``."""
        ref = f"ref-{next(self._refs)}"
        await self.send(kind, ref=ref, **fields)
        return await self.until(lambda frame: frame.get("ref") == ref)

    async def event(self, kind: str, timeout: float = 10, **fields: Any) -> dict[str, Any]:
        """The next event of a type whose fields have these values, from where one last looked."""

        def matches(frame: dict[str, Any]) -> bool:
            return frame["type"] == kind and all(
                frame.get(name) == value for name, value in fields.items()
            )

        return await self.until(matches, timeout)

    async def until(
        self, matches: Callable[[dict[str, Any]], bool], timeout: float = 10
    ) -> dict[str, Any]:
        for frame in self.frames[self._taken :]:
            if matches(frame):
                self._taken = self.frames.index(frame, self._taken) + 1
                return frame
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            frame = await self._receive(left)
            if matches(frame):
                self._taken = len(self.frames)
                return frame

    async def settle(self, seconds: float = 0.3) -> None:
        """Takes in what comes, until nothing has come for a while."""
        with contextlib.suppress(TimeoutError):
            while True:
                await self._receive(seconds)

    def of_type(self, *kinds: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] in kinds]

    async def close_code(self, timeout: float = 15) -> int | None:
        """Reads until the server closes, and says with which code."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self._receive(timeout)
        return self.ws.close_code

    async def _receive(self, seconds: float) -> dict[str, Any]:
        data = await asyncio.wait_for(self.ws.recv(), max(seconds, 0))
        self.frames.append(self._dialogue.received(data))
        return self.frames[-1]


def narrow_socket(port: int) -> socket.socket:
    """A connection to this machine into which little fits."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.connect(("127.0.0.1", port))
    narrow.setblocking(False)
    return narrow
