"""One open socket: who is behind it, and what waits to be written to it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from accounts.limits import Pace
from accounts.models import User
from chatproject.ids import new_id
from chatproject.realtime import TOO_MANY, TOO_SLOW

MAX_WAITING_BYTES = 1024 * 1024


class Socket:
    """Writes frames in order, one after the other, without anybody waiting for it."""

    def __init__(
        self,
        send: Callable[[Any], Awaitable[None]],
        *,
        user: User,
        sign_in_id: UUID,
        expires_at: int,
    ) -> None:
        self.id = new_id()
        self.user_id = user.id
        self.sign_in_id = sign_in_id
        self.expires_at = expires_at
        self.chat_ids: set[str] = set()
        self.seats_version = 0
        self.watched_ids: set[str] = set()
        self.is_open = True
        self._is_held = False
        self._send = send
        self._frames: deque[tuple[str, int]] = deque()
        self._waiting_bytes = 0
        self._writing: asyncio.Task[None] | None = None
        self._pace = Pace("frame")

    def push(self, frame: str, size: int = 0) -> None:
        """Queues an event. A client that lets more than 1 MiB of them wait is cut off (4408).

        ``size`` in bytes, where it is known: many sockets hear the same.
        """
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self.close(TOO_SLOW)
        self._queue(frame, size or len(frame.encode()))

    def answer(self, frame: str) -> None:
        """Queues what the client asked for, which never makes it too slow."""
        self._queue(frame, 0)

    async def answered(self) -> None:
        """Waits until what is queued is out, so that nobody piles up answers."""
        if self._writing:
            await asyncio.wait([self._writing])

    def may_say_more(self) -> bool:
        """Counts a frame that came in. Far more than anybody has a use for end the socket."""
        if self.is_open and not self._pace.has_room():
            self.close(TOO_MANY)
        return self.is_open

    def _queue(self, frame: str, weight: int) -> None:
        if self.is_open:
            self._frames.append((frame, weight))
            self._waiting_bytes += weight
            self._start_writing()

    def hold(self) -> None:
        """Lets events wait until the first frame, ``hello``, is there."""
        self._is_held = True

    def release(self, first: str) -> None:
        self._is_held = False
        self._frames.appendleft((first, 0))
        self._start_writing()

    def _start_writing(self) -> None:
        if self._writing is None and not self._is_held:
            self._writing = asyncio.create_task(self._write())

    def close(self, code: int) -> None:
        """Says nothing more but why."""
        if self.is_open:
            self.is_open = False
            self._frames.clear()
            asyncio.create_task(self._close(code))  # noqa: RUF006

    async def _write(self) -> None:
        try:
            while self._frames:
                frame, weight = self._frames.popleft()
                self._waiting_bytes -= weight
                await self._send({"type": "websocket.send", "text": frame})
        except Exception:
            self.is_open = False  # the peer is gone; the consumer's loop hears of it, too
        finally:
            self._writing = None

    async def _close(self, code: int) -> None:
        try:
            if self._writing:
                await asyncio.wait([self._writing], timeout=1)
            await self._send({"type": "websocket.close", "code": code})
        except Exception:  # noqa: S110
            pass  # it was closed already


class Notes:
    """Hears whom a socket will watch, and keeps that until who is online has been answered."""

    def __init__(self) -> None:
        self.watched_ids: set[str] = set()
        self.frames: list[str] = []

    def push(self, frame: str, _size: int = 0) -> None:
        self.frames.append(frame)
