"""One open socket: who is behind it, and what waits to be written to it."""

import asyncio
from collections import deque
from uuid import UUID

from accounts.limits import Pace
from accounts.models import User
from chatproject.ids import new_id
from chatproject.realtime import TOO_MANY, TOO_SLOW
from chatproject.wires import Wire

MAX_WAITING_BYTES = 1024 * 1024
MAX_WRITE_BYTES = 65_536


class Socket:
    """Writes frames in order, without anybody waiting for it."""

    def __init__(self, wire: Wire, *, user: User, sign_in_id: UUID, expires_at: int) -> None:
        self.id = new_id()
        self.user_id = user.id
        self.sign_in_id = sign_in_id
        self.expires_at = expires_at
        self.chat_ids: set[str] = set()
        self.seats_version = 0
        self.watched_ids: set[str] = set()
        self.is_open = True
        self._is_held = False
        self._wire = wire
        self._frames: deque[tuple[bytes, int]] = deque()
        self._waiting_bytes = 0
        self._is_due = False
        self._writing: asyncio.Task[None] | None = None
        self._pace = Pace("frame")

    def push(self, frames: bytes) -> None:
        """Says events. A client that lets more than 1 MiB of them wait is cut off (4408)."""
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self.close(TOO_SLOW)
        self._queue(frames, len(frames))
        self._write_out()

    def answer(self, frame: bytes) -> None:
        """Says what the client asked for, which never makes it too slow.

        All answers of a turn of the loop go out together.
        """
        self._queue(frame, 0)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._write_out)

    async def answered(self) -> None:
        """Waits until what is queued is out, so that nobody piles up answers."""
        self._write_out()
        if self._writing:
            await asyncio.wait([self._writing])

    def may_say_more(self) -> bool:
        """Counts a frame that came in. Far more than anybody has a use for end the socket."""
        if self.is_open and not self._pace.has_room():
            self.close(TOO_MANY)
        return self.is_open

    def _queue(self, frames: bytes, weight: int) -> None:
        if self.is_open:
            self._frames.append((frames, weight))
            self._waiting_bytes += weight

    def hold(self) -> None:
        """Lets events wait until the first frame, ``hello``, is there."""
        self._is_held = True

    def release(self, first: bytes) -> None:
        self._is_held = False
        self._frames.appendleft((first, 0))
        self._write_out()

    def _write_out(self) -> None:
        """As much as the peer takes now; a task brings the rest when it takes more."""
        self._is_due = False
        if self._writing or self._is_held:
            return
        while self._frames and self._wire.is_free:
            self._wire.write(self._next())
        if self._frames:
            self._writing = asyncio.create_task(self._bring())

    async def _bring(self) -> None:
        try:
            while self._frames:
                await self._wire.send(self._next())
        except Exception:
            self.is_open = False  # the peer is gone; the consumer's loop hears of it, too
        finally:
            self._writing = None

    def _next(self) -> bytes:
        """What waits, or the first 64 KiB of it."""
        taken, size = [], 0
        while self._frames and size < MAX_WRITE_BYTES:
            frames, weight = self._frames.popleft()
            self._waiting_bytes -= weight
            size += len(frames)
            taken.append(frames)
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def close(self, code: int) -> None:
        """Says nothing more but why."""
        if self.is_open:
            self.is_open = False
            self._frames.clear()
            asyncio.create_task(self._close(code))  # noqa: RUF006

    async def _close(self, code: int) -> None:
        try:
            if self._writing:
                await asyncio.wait([self._writing], timeout=1)
            await self._wire.close(code)
        except Exception:  # noqa: S110
            pass  # it was closed already


class Notes:
    """Hears whom a socket will watch, and keeps that until who is online has been answered."""

    def __init__(self) -> None:
        self.watched_ids: set[str] = set()
        self.frames: list[bytes] = []

    def push(self, frames: bytes) -> None:
        self.frames.append(frames)
