"""Telling others, after the commit: envelopes, and the bus that carries them to every process."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from chatproject.ids import new_id

logger = logging.getLogger(__name__)

GROUP = "events"
SEND_SECONDS = 1
MAX_FRAME_BYTES = 65_536

# Why a socket is closed.
NOT_SIGNED_IN = 4401
DEACTIVATED = 4403
TOO_SLOW = 4408
TOO_MANY = 4429
MAX_WAITING = 50_000
MAX_BYTES_A_TURN = 65_536
KEPT = ("marks", "watched", "chats")
"""What no hub would read by itself: it waits until the layer is back."""


class Envelope(NamedTuple):
    """One event on its way to the hubs. ``data`` is the frame that sockets get, as JSON.

    ``target`` says what it is for and what ``key`` is: ``chat``, ``passing``, ``typing`` and
    ``deleted`` (a chat's id), ``chats`` (several, joined by commas), ``marks``, ``watched`` and
    ``seat`` (a user's), ``sign_in``, ``beat`` (a listener's). ``number`` is the chat's version,
    0 where the event has none, or a close code. ``about`` is the id that the hub needs
    besides: who left, who is not told, who types, or which chat.
    """

    target: str
    key: str
    number: int
    data: bytes
    about: str


def to_chat(
    chat_id: UUID, version: int, event: dict[str, Any], left: UUID | None = None
) -> Envelope:
    """A numbered change of a chat; ``left`` is who hears nothing above this version."""
    return Envelope("chat", str(chat_id), version, orjson.dumps(event), str(left or ""))


def to_chat_unnumbered(chat_id: UUID, event: dict[str, Any], skip: UUID | None = None) -> Envelope:
    """A passing thing, such as typing; ``skip`` is who is not told."""
    return Envelope("passing", str(chat_id), 0, orjson.dumps(event), str(skip or ""))


def typing_in(chat_id: UUID, event: dict[str, Any], user_id: UUID) -> Envelope:
    """That somebody types, which each hub passes on now and then to all others in the chat."""
    return Envelope("typing", str(chat_id), 0, orjson.dumps(event), str(user_id))


def marks_moved(user_id: UUID, chat_id: UUID) -> Envelope:
    """Somebody's own marks or settings in a chat changed: the hubs read and tell them."""
    return Envelope("marks", str(user_id), 0, b"", str(chat_id))


def to_watchers(user_id: UUID, event: dict[str, Any]) -> Envelope:
    """To the sockets that watch somebody's presence."""
    return Envelope("watched", str(user_id), 0, orjson.dumps(event), "")


def to_chats(chat_ids: Iterable[UUID], user_id: UUID, event: dict[str, Any]) -> Envelope:
    """To everybody in any of these chats, once, and to one's own sockets."""
    keys = ",".join(map(str, chat_ids))
    return Envelope("chats", keys, 0, orjson.dumps(event), str(user_id))


def seat_taken(user_id: UUID, chat_id: UUID) -> Envelope:
    """Somebody is in a chat from now on: their sockets join it."""
    return Envelope("seat", str(user_id), 0, b"", str(chat_id))


def chat_deleted(chat_id: UUID) -> Envelope:
    event = {"type": "chat.removed", "chat_id": str(chat_id)}
    return Envelope("deleted", str(chat_id), 0, orjson.dumps(event), "")


def sign_in_ended(sign_in_id: UUID, close_code: int) -> Envelope:
    """Closes the sockets of one sign-in."""
    return Envelope("sign_in", str(sign_in_id), close_code, b"", "")


def beat(listener: str) -> Envelope:
    """Goes through the layer and back to the one who sent it."""
    return Envelope("beat", listener, 0, b"", "")


def publish(*envelopes: Envelope) -> None:
    """Tells every process once the transaction is committed, and never if it is not."""
    if envelopes:
        transaction.on_commit(lambda: bus.send(envelopes), robust=True)


class Bus:
    """Brings envelopes to the hub of this process and, through the channel layer, to all others.

    From any thread, never waiting. To the others goes one sender with a bounded queue: what a
    paused layer does not take within a second is dropped, and their hubs read it from the database.
    """

    def __init__(self) -> None:
        self.id = str(new_id())
        self._arrived: deque[Envelope] = deque()
        self._leaving: deque[Envelope] = deque(maxlen=MAX_WAITING)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    def send(self, envelopes: Iterable[Envelope]) -> None:
        if self._loop is None:
            self._send_from_command(list(envelopes))
            return
        self._arrived.extend(envelopes)
        self._loop.call_soon_threadsafe(self._say_here)

    def send_away(self, envelope: Envelope) -> None:
        """Through the layer alone. In the loop."""
        self._leaving.append(envelope)
        self._wake.set()

    async def run(self, take: Callable[[Envelope], None]) -> None:
        """Gives what is sent here to ``take`` and sends it to the others, until cancelled."""
        self._take, self._wake = take, asyncio.Event()
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._send_leaving()
        finally:
            self._loop = None

    def _say_here(self) -> None:
        """A part a turn: sockets write in between, before what comes next makes them look slow."""
        size = 0
        while self._arrived and size < MAX_BYTES_A_TURN:
            envelope = self._arrived.popleft()
            size += len(envelope.data)
            try:
                self._take(envelope)
            except Exception:
                logger.exception("an event is not told here; the hub will read it")
            if settings.REDIS_URL:  # else nobody can hear more than this process
                self.send_away(envelope)
        if self._arrived and self._loop:
            self._loop.call_soon(self._say_here)

    async def _send_leaving(self) -> None:
        while self._leaving:
            batch = [self._leaving.popleft() for _ in range(min(len(self._leaving), 500))]
            try:
                await self._send_in_time(batch)
            except Exception as error:
                self._leaving.extendleft(one for one in reversed(batch) if one.target in KEPT)
                logger.warning("%d events not sent: %r; hubs will read them", len(batch), error)
                await asyncio.sleep(1)

    async def _group_send(self, batch: list[Envelope]) -> None:
        message = {"type": "events", "from": self.id, "batch": [list(item) for item in batch]}
        await get_channel_layer().group_send(GROUP, message)

    async def _send_in_time(self, batch: list[Envelope]) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await self._group_send(batch)

    def _send_from_command(self, batch: list[Envelope]) -> None:
        if not settings.REDIS_URL:
            return  # no other process can hear an in-memory layer
        try:
            async_to_sync(self._send_in_time)(batch)
        except Exception as error:
            logger.warning("%d events not sent: %r; hubs will read them", len(batch), error)


bus = Bus()
