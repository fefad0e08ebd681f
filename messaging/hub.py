"""The hub, one a process: which local sockets hear which chat, and what they were told."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from typing import Any
from uuid import UUID

import orjson
from channels.layers import get_channel_layer

from accounts.presence import PresenceWriter
from chatproject.pools import in_database_pool
from chatproject.realtime import GROUP, Envelope, bus
from messaging import reading
from messaging.sockets import DEACTIVATED, NOT_SIGNED_IN, Socket

logger = logging.getLogger(__name__)

HOLE_SECONDS = 0.05
"""How long a hub waits for a version that was overtaken before it reads it."""


class Feed:
    """A chat with local listeners. Events go out strictly by version.

    While ``busy`` is held, somebody reads the rows; what comes live meanwhile is held back.
    """

    def __init__(self, chat_id: str, version: int) -> None:
        self.chat_id = chat_id
        self.version = version
        self.sockets: set[Socket] = set()
        self.held: dict[int, Envelope] = {}
        self.busy = asyncio.Lock()
        self.is_mending = False


class Hub:
    def __init__(self) -> None:
        self.presence = PresenceWriter()
        self._feeds: dict[str, Feed] = {}
        self._by_user: dict[str, set[Socket]] = {}
        self._by_sign_in: dict[str, set[Socket]] = {}
        self._watchers: dict[str, set[Socket]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._swept_at = time.monotonic()

    # Life

    def ensure_started(self) -> None:
        """Starts listening, once a process (once an event loop, in tests)."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.__init__()  # type: ignore[misc]
            self._loop = loop
            for work in (bus.run(), self._listen(), self._sweep_for_ever(), self.presence.run()):
                self._spawn(work)

    async def stop(self) -> None:
        """Ends its tasks, and says that nobody is connected here any more."""
        tasks, self._tasks, self._loop = self._tasks, set(), None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.presence.stop()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Sockets

    async def connect(self, socket: Socket) -> None:
        """Lets a socket hear all of its user's chats from here on.

        It is known by its user before the memberships are read, and they are read again once it
        is attached, so that no joining and no removal falls in between.
        """
        self._by_user.setdefault(str(socket.user_id), set()).add(socket)
        self._by_sign_in.setdefault(str(socket.sign_in_id), set()).add(socket)
        seats = await in_database_pool(reading.chat_versions, socket.user_id)
        for chat_id, version in seats.items():
            feed = self._feeds.setdefault(chat_id, Feed(chat_id, version))
            if not feed.sockets:  # somebody is about to join, and has told nobody anything
                feed.version = max(feed.version, version)
            self._attach(feed, socket)
        await self._check_seats(socket)
        self.presence.connected(socket.id, socket.user_id)

    def disconnect(self, socket: Socket) -> None:
        socket.is_open = False
        self.presence.disconnected(socket.id)
        for chat_id in list(socket.chat_ids):
            self._detach(self._feeds[chat_id], socket)
        self.watch(socket, [])
        _discard(self._by_user, str(socket.user_id), socket)
        _discard(self._by_sign_in, str(socket.sign_in_id), socket)

    def watch(self, socket: Socket, user_ids: Iterable[UUID]) -> None:
        """Whose presence a socket hears of from now on, instead of before."""
        for key in socket.watched_ids:
            _discard(self._watchers, key, socket)
        socket.watched_ids = {str(user_id) for user_id in user_ids}
        for key in socket.watched_ids:
            self._watchers.setdefault(key, set()).add(socket)

    def renew(self, socket: Socket, sign_in_id: UUID, expires_at: int | None) -> None:
        """A socket goes on under a newer token."""
        _discard(self._by_sign_in, str(socket.sign_in_id), socket)
        socket.sign_in_id, socket.expires_at = sign_in_id, expires_at
        self._by_sign_in.setdefault(str(sign_in_id), set()).add(socket)

    def _attach(self, feed: Feed, socket: Socket) -> None:
        feed.sockets.add(socket)
        socket.chat_ids.add(feed.chat_id)

    def _detach(self, feed: Feed, socket: Socket) -> None:
        feed.sockets.discard(socket)
        socket.chat_ids.discard(feed.chat_id)
        self._forget_if_unheard(feed)

    def _forget_if_unheard(self, feed: Feed) -> None:
        is_known = self._feeds.get(feed.chat_id) is feed
        if is_known and not feed.sockets and not feed.busy.locked():
            del self._feeds[feed.chat_id]

    # Events from the layer

    async def _listen(self) -> None:
        """Takes what every process publishes. What the layer loses, the sweep finds."""
        layer = get_channel_layer()
        channel = await layer.new_channel("hub")
        while True:
            try:
                await layer.group_add(GROUP, channel)
                await self._receive_until_silent(layer, channel)
            except Exception as error:
                logger.warning("the channel layer is away, reading the database: %r", error)
                await asyncio.sleep(1)

    async def _receive_until_silent(self, layer: Any, channel: str) -> None:
        """Returns now and then, to join the group again: a layer may have forgotten it."""
        until = asyncio.get_running_loop().time() + 3
        while (left := until - asyncio.get_running_loop().time()) > 0:
            try:
                message = await asyncio.wait_for(layer.receive(channel), left)
            except TimeoutError:
                return
            for item in message["batch"]:
                self.take(Envelope(*item))

    def take(self, envelope: Envelope) -> None:
        """Passes one event on to the local sockets that it is for."""
        match envelope.target:
            case "chat":
                self._take_numbered(envelope)
            case "passing":
                self._take_passing(envelope)
            case "user":
                _push(self._by_user.get(envelope.key, ()), envelope.data)
            case "watched":
                _push(self._watchers.get(envelope.key, ()), envelope.data)
            case "chats":
                self._take_for_chats(envelope)
            case "seat":
                if envelope.key in self._by_user:
                    self._spawn(self._join(envelope.key, envelope.about))
            case "deleted":
                self._take_deleted(envelope)
            case "sign_in":
                for socket in list(self._by_sign_in.get(envelope.key, ())):
                    socket.close(envelope.number)

    def _take_numbered(self, envelope: Envelope) -> None:
        feed = self._feeds.get(envelope.key)
        if feed is None or envelope.number <= feed.version:
            return
        feed.held[envelope.number] = envelope
        if feed.busy.locked():
            return
        self._deliver_held(feed)
        if feed.held:
            self._mend(feed)

    def _take_passing(self, envelope: Envelope) -> None:
        feed = self._feeds.get(envelope.key)
        if feed:
            text = envelope.data.decode()
            for socket in feed.sockets:
                if str(socket.user_id) != envelope.about:
                    socket.push(text)

    def _take_for_chats(self, envelope: Envelope) -> None:
        sockets = set(self._by_user.get(envelope.about, ()))
        for chat_id in envelope.key.split(","):
            if chat_id in self._feeds:
                sockets |= self._feeds[chat_id].sockets
        _push(sockets, envelope.data)

    def _take_deleted(self, envelope: Envelope) -> None:
        feed = self._feeds.pop(envelope.key, None)
        if feed:
            _push(feed.sockets, envelope.data)
            for socket in feed.sockets:
                socket.chat_ids.discard(feed.chat_id)

    # By version, without a hole

    def _deliver_held(self, feed: Feed) -> None:
        while envelope := feed.held.pop(feed.version + 1, None):
            feed.version += 1
            _push(feed.sockets, envelope.data)
            if envelope.about:
                self._send_away(feed, envelope.about)

    def _send_away(self, feed: Feed, user_id: str) -> None:
        """Somebody left at this version: nothing above it reaches them."""
        for socket in [one for one in feed.sockets if str(one.user_id) == user_id]:
            socket.push(_removed(feed.chat_id))
            self._detach(feed, socket)

    def _mend(self, feed: Feed) -> None:
        """Reads what is missing, if it does not come by itself first."""
        if not feed.is_mending:
            feed.is_mending = True
            self._spawn(self._mend_soon(feed))

    async def _mend_soon(self, feed: Feed) -> None:
        await asyncio.sleep(HOLE_SECONDS)
        feed.is_mending = False
        await self._catch_up(feed)

    async def _catch_up(self, feed: Feed) -> None:
        """Brings a feed to where the database is. One at a time, live events held."""
        async with feed.busy:
            try:
                while await self._read_on(feed):
                    pass
            except Exception as error:
                logger.warning("chat %s is not read, will be: %r", feed.chat_id, error)
        self._settle(feed)

    def _settle(self, feed: Feed) -> None:
        """What came live while the rows were read goes out, or is mended."""
        self._deliver_held(feed)
        if feed.held:
            self._mend(feed)
        self._forget_if_unheard(feed)

    async def _read_on(self, feed: Feed) -> bool:
        """Tells up to 500 missed versions; whether there may be more."""
        found = await in_database_pool(reading.missed_events, UUID(feed.chat_id), feed.version)
        if found is None:
            self._take_deleted(Envelope("deleted", feed.chat_id, 0, _removed_bytes(feed), ""))
            return False
        for envelope in found:
            feed.held[envelope.number] = envelope
        self._deliver_held(feed)
        for version in [one for one in feed.held if one <= feed.version]:
            del feed.held[version]
        return len(found) == reading.MAX_READ

    # Seats

    async def _join(self, user_id: str, chat_id: str) -> None:
        """Attaches somebody's sockets to a chat, then tells them of it, whole."""
        feed = self._feeds.setdefault(chat_id, Feed(chat_id, 0))
        async with feed.busy:
            try:
                await self._join_held(feed, user_id)
            except Exception as error:
                logger.warning("chat %s is not joined, will be: %r", chat_id, error)
        self._settle(feed)

    async def _join_held(self, feed: Feed, user_id: str) -> None:
        while feed.sockets and await self._read_on(feed):
            pass
        # Read after those rows: what was told to the others before is never above this version.
        document = await in_database_pool(reading.chat_for, UUID(user_id), UUID(feed.chat_id))
        if document is None or self._feeds.setdefault(feed.chat_id, feed) is not feed:
            return
        if not feed.sockets:
            feed.version = max(feed.version, document["version"])
        frame = orjson.dumps({"type": "chat.created", "chat": document}).decode()
        for socket in self._by_user.get(user_id, set()) - feed.sockets:
            self._attach(feed, socket)
            socket.push(frame)

    async def _check_seats(self, socket: Socket) -> None:
        """Compares what a socket hears with the seats that its user has now."""
        seats = await in_database_pool(reading.chat_versions, socket.user_id)
        for chat_id in socket.chat_ids - seats.keys():
            socket.push(_removed(chat_id))
            self._detach(self._feeds[chat_id], socket)
        for chat_id, version in seats.items():
            feed = self._feeds.get(chat_id)
            if feed is None or socket not in feed.sockets:
                await self._join(str(socket.user_id), chat_id)
            elif version > feed.version:
                self._mend(feed)

    # The sweep

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(reading.SWEEP_SECONDS)
            try:
                await self._sweep()
            except Exception as error:
                logger.warning("no sweep, the database is away: %r", error)

    async def _sweep(self) -> None:
        """Finds what the layer lost, and what commands changed."""
        self._close_expired()
        if not self._by_user:
            return
        started = time.monotonic()
        changed = await in_database_pool(reading.recent_changes, started - self._swept_at)
        for chat_id, version in changed.chats.items():
            feed = self._feeds.get(chat_id)
            if feed and version > feed.version:
                self._mend(feed)
        for key in changed.ended_sign_ins.keys() & self._by_sign_in.keys():
            for socket in list(self._by_sign_in[key]):
                socket.close(NOT_SIGNED_IN if changed.ended_sign_ins[key] else DEACTIVATED)
        for key in changed.users & self._by_user.keys():
            for socket in list(self._by_user.get(key, ())):
                await self._check_seats(socket)
        self._swept_at = started

    def _close_expired(self) -> None:
        for sockets in list(self._by_sign_in.values()):
            for socket in list(sockets):
                if reading.has_passed(socket.expires_at):
                    socket.close(NOT_SIGNED_IN)


def _push(sockets: Iterable[Socket], data: bytes) -> None:
    text = data.decode()
    for socket in sockets:
        socket.push(text)


def _removed(chat_id: str) -> str:
    return orjson.dumps({"type": "chat.removed", "chat_id": chat_id}).decode()


def _removed_bytes(feed: Feed) -> bytes:
    return _removed(feed.chat_id).encode()


def _discard(index: dict[str, set[Socket]], key: str, socket: Socket) -> None:
    index.get(key, set()).discard(socket)
    if not index.get(key):
        index.pop(key, None)


hub = Hub()
