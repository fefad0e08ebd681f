"""A chat with local listeners: its events go out strictly by version, without a hole."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from uuid import UUID

import orjson

from chatproject.pools import in_upkeep_pool
from chatproject.realtime import Envelope
from chatproject.wires import framed
from messaging import reading
from messaging.sockets import Socket

logger = logging.getLogger(__name__)

HOLE_SECONDS = 0.05
"""How long a feed waits for a version that was overtaken before it reads it."""
RETRY_SECONDS = 1
TYPING_SECONDS = 3
"""How often at most it is said that somebody types, through however many processes they do."""

MERGE_SECONDS = 0.005
MERGE_SECONDS_A_SOCKET = 0.000_05
MAX_MERGE_SECONDS = 0.05
"""How long what a busy chat says is gathered: a write takes some 10 µs, so that at most a fifth of
the time goes into any one chat, and a message costs a small part of a write."""
MAX_MERGED_BYTES = 65_536


class Feed:
    """While ``busy`` is held, somebody reads the rows; what comes live meanwhile is held back."""

    def __init__(
        self,
        chat_id: str,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        forget: Callable[["Feed"], None],
    ) -> None:
        self.chat_id = chat_id
        self.version = 0
        self.sockets: set[Socket] = set()
        self.busy = asyncio.Lock()
        self._held: dict[int, Envelope] = {}
        self._typed_at: dict[str, float] = {}
        self._wanted = 0
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._due: asyncio.TimerHandle | None = None
        self._quiet_at = 0.0
        self._spawn = spawn
        self._forget = forget

    # Listeners

    def attach(self, socket: Socket) -> None:
        self.flush()
        self.sockets.add(socket)
        socket.chat_ids.add(self.chat_id)

    def detach(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        socket.chat_ids.discard(self.chat_id)
        self._forget_if_unheard()

    def send_away(self, sockets: Iterable[Socket]) -> None:
        """Tells them that the chat is theirs no more, the last that they hear of it."""
        self.flush()
        frame = framed(orjson.dumps({"type": "chat.removed", "chat_id": self.chat_id}))
        for socket in list(sockets):
            socket.push(frame)
            self.detach(socket)

    def end(self) -> None:
        """The chat was deleted."""
        self._forget(self)
        self.send_away(self.sockets)

    def _forget_if_unheard(self) -> None:
        if not self.sockets and not self.busy.locked():
            self._forget(self)

    # Events

    def push_passing(self, envelope: Envelope) -> None:
        """To all listeners but the sockets of one user."""
        self.flush()
        frame = framed(envelope.data)
        for socket in self.sockets:
            if str(socket.user_id) != envelope.about:
                socket.push(frame)

    def take_typing(self, envelope: Envelope) -> None:
        now, user_id = time.monotonic(), envelope.about
        if now - self._typed_at.get(user_id, -TYPING_SECONDS) >= TYPING_SECONDS:
            self._typed_at[user_id] = now
            self.push_passing(envelope)

    def take(self, envelope: Envelope) -> None:
        """A numbered event: goes out if it is the next, else waits for those before it."""
        if envelope.number <= self.version:
            return
        self._held[envelope.number] = envelope
        if not self.busy.locked():
            self._deliver_held()
            if self._held:
                self.mend(max(self._held))

    def _deliver_held(self) -> None:
        while envelope := self._held.pop(self.version + 1, None):
            self.version += 1
            self._gather(framed(envelope.data))
            if envelope.about:  # who left at this version: nothing above it reaches them
                self.send_away(one for one in self.sockets if str(one.user_id) == envelope.about)

    def _gather(self, frame: bytes) -> None:
        """Goes out at once where the chat was quiet, else together with what follows soon."""
        self._gathered.append(frame)
        self._gathered_bytes += len(frame)
        if self._gathered_bytes >= MAX_MERGED_BYTES:
            self.flush()
        elif self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(self._quiet_at, self.flush)

    def flush(self) -> None:
        """Lets all have what was gathered: also before anything else is said to one of them."""
        if self._due:
            self._due.cancel()
            self._due = None
        if not self._gathered:
            return
        frames = b"".join(self._gathered)
        self._gathered, self._gathered_bytes = [], 0
        for socket in self.sockets:
            socket.push(frames)
        pause = max(MERGE_SECONDS, len(self.sockets) * MERGE_SECONDS_A_SOCKET)
        self._quiet_at = asyncio.get_running_loop().time() + min(pause, MAX_MERGE_SECONDS)

    # Holes

    def mend(self, version: int) -> None:
        """Reads what is missing up to a version, if it does not come by itself first."""
        if not self._wanted:
            self._spawn(self._mend_soon())
        self._wanted = max(self._wanted, version)

    async def _mend_soon(self) -> None:
        await asyncio.sleep(HOLE_SECONDS)
        wanted, self._wanted = self._wanted, 0
        if self.version < wanted:
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Brings the feed to where the database is. One at a time, live events held."""
        async with self.busy:
            try:
                while await self.read_on():
                    pass
            except Exception as error:
                logger.warning("chat %s is not read, will be: %r", self.chat_id, error)
                await asyncio.sleep(RETRY_SECONDS)
        self.settle()

    def settle(self) -> None:
        """What came live while the rows were read goes out, or is mended."""
        self._deliver_held()
        if self._held:
            self.mend(max(self._held))
        self._forget_if_unheard()

    async def read_on(self) -> bool:
        """Tells up to 500 missed versions; whether there may be more."""
        found = await in_upkeep_pool(reading.missed_events, UUID(self.chat_id), self.version)
        if found is None:
            self.end()
            return False
        for envelope in found:
            self._held[envelope.number] = envelope
            self._deliver_held()
            await asyncio.sleep(0)
        for version in [one for one in self._held if one <= self.version]:
            del self._held[version]
        return len(found) == reading.MAX_READ
