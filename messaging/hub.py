"""The hub, one a process: which local sockets hear which chat, and what they were told."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar
from uuid import UUID

import orjson

from accounts.presence import PresenceWriter
from chatproject.listener import listener
from chatproject.pools import in_database_pool, in_upkeep_pool
from chatproject.realtime import DEACTIVATED, NOT_SIGNED_IN, TOO_MANY, Envelope, bus
from chatproject.together import Together
from chatproject.wires import framed
from messaging import epochs, reading
from messaging.feeds import Feed
from messaging.marks import Marks
from messaging.sockets import Notes, Socket

logger = logging.getLogger(__name__)

T = TypeVar("T")

WHOLE_SWEEP_SECONDS = 60
ON_ITS_WAY_SECONDS = 0.5
"""In which what the sweep finds newer than what was told has most likely come by itself."""
STOP_SECONDS = 3
NEVER = float("-inf")


class Hub:
    def __init__(self) -> None:
        self.presence = PresenceWriter()
        self._feeds: dict[str, Feed] = {}
        self._marks = Marks(version_of=self._version_of)
        self._by_user: dict[str, set[Socket]] = {}
        self._by_sign_in: dict[str, set[Socket]] = {}
        self._watchers: dict[str, set[Socket | Notes]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._swept_whole_at = time.monotonic()
        self._seats_of = Together(reading.seats_of)
        self._summary_of = Together(reading.summaries_of)

    # Life

    def ensure_started(self) -> None:
        """Starts listening, once a process (once an event loop, in tests)."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.__init__()  # type: ignore[misc]
            self._loop = loop
            self._spawn(bus.run(self.take))
            self._spawn(listener.run(self.take))
            self._spawn(self._sweep_for_ever())
            self._spawn(self.presence.run())
            self._spawn(epochs.keep_renewing())

    async def stop(self) -> None:
        """Ends its tasks, and says that nobody is connected here any more."""
        tasks, self._tasks, self._loop = self._tasks, set(), None
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)
        await asyncio.gather(self.presence.stop(), in_upkeep_pool(epochs.renew))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Sockets

    async def connect(self, socket: Socket) -> bool:
        """Lets a socket hear all of its user's chats from here on; closes one too many of theirs.

        It is known by its user before the memberships are read, and they are read again once it
        is attached, so that no joining and no removal falls in between.
        """
        self._by_user.setdefault(str(socket.user_id), set()).add(socket)
        self._by_sign_in.setdefault(str(socket.sign_in_id), set()).add(socket)
        if not await self.presence.connected(socket.id, socket.user_id):
            socket.close(TOO_MANY)
            return False
        seats = await self._seats_of(socket.user_id)
        for chat_id, version in seats.versions.items():
            feed = self._feed(chat_id)
            if not feed.sockets:  # somebody is about to join, and has told nobody anything
                feed.version = max(feed.version, version)
            if feed.version <= version:  # else who left since may have been sent away already
                feed.attach(socket)
        if await self._summary_of(socket.user_id) == seats.summary():
            socket.seats_version = seats.seats_version
        else:
            await self._check_seats(socket)
        return True

    def disconnect(self, socket: Socket) -> None:
        socket.is_open = False
        self.presence.disconnected(socket.id)
        for chat_id in list(socket.chat_ids):
            self._feeds[chat_id].detach(socket)
        self.watch(socket, [])
        _discard(self._by_user, str(socket.user_id), socket)
        _discard(self._by_sign_in, str(socket.sign_in_id), socket)

    def watch(self, socket: Socket | Notes, user_ids: Iterable[str]) -> None:
        """Whose presence a socket hears of from now on, instead of before."""
        for key in socket.watched_ids:
            _discard(self._watchers, key, socket)
        socket.watched_ids = set(user_ids)
        for key in socket.watched_ids:
            self._watchers.setdefault(key, set()).add(socket)

    def renew(self, socket: Socket, sign_in_id: UUID, expires_at: int) -> None:
        """A socket goes on under a newer token."""
        _discard(self._by_sign_in, str(socket.sign_in_id), socket)
        socket.sign_in_id, socket.expires_at = sign_in_id, expires_at
        self._by_sign_in.setdefault(str(sign_in_id), set()).add(socket)

    def _feed(self, chat_id: str) -> Feed:
        if chat_id not in self._feeds:
            self._feeds[chat_id] = Feed(chat_id, spawn=self._spawn, forget=self._forget)
        return self._feeds[chat_id]

    def _forget(self, feed: Feed) -> None:
        if self._feeds.get(feed.chat_id) is feed:
            del self._feeds[feed.chat_id]

    # Events from the layer

    def take(self, envelope: Envelope) -> None:
        """Passes one event on to the local sockets that it is for."""
        feed = self._feeds.get(envelope.key)
        match envelope.target:
            case "chat" if feed:
                feed.take(envelope)
            case "passing" if feed:
                feed.push_passing(envelope)
            case "typing" if feed:
                feed.take_typing(envelope)
            case "deleted" if feed:
                feed.end()
            case "marks" if envelope.key in self._by_user:
                self._spawn(self._tell_marks(envelope.key, envelope.about))
            case "watched":
                _push(self._watchers.get(envelope.key, ()), envelope.data)
            case "chats":
                self._take_for_chats(envelope)
            case "seat" if envelope.key in self._by_user:
                self._spawn(self._join(envelope.key, envelope.about))
            case "sign_in":
                self._close_all(envelope.key, envelope.number)

    def _take_for_chats(self, envelope: Envelope) -> None:
        sockets = set(self._by_user.get(envelope.about, ()))
        for chat_id in envelope.key.split(","):
            if chat_id in self._feeds:
                self._feeds[chat_id].flush()
                sockets |= self._feeds[chat_id].sockets
        _push(sockets, envelope.data)

    async def _tell_marks(self, user_id: str, chat_id: str) -> None:
        def push(data: bytes) -> None:
            if feed := self._feeds.get(chat_id):
                feed.flush()
            _push(self._by_user.get(user_id, ()), data)

        try:
            await self._marks.tell(user_id, chat_id, push)
        except Exception as error:
            logger.warning("the marks of %s are not told: %r", user_id, error)

    def _version_of(self, chat_id: str) -> int | None:
        feed = self._feeds.get(chat_id)
        return feed.version if feed else None

    # Seats

    async def _join(self, user_id: str, chat_id: str) -> None:
        """Attaches somebody's sockets to a chat, then tells them of it, whole."""
        feed = self._feed(chat_id)
        async with feed.busy:
            try:
                await self._join_held(feed, user_id)
            except Exception as error:
                logger.warning("chat %s is not joined, will be: %r", chat_id, error)
        feed.settle()

    async def _join_held(self, feed: Feed, user_id: str) -> None:
        while feed.sockets and await feed.read_on():
            pass
        # Read after those rows: what was told to the others before is never above this version.
        document = await in_database_pool(reading.chat_for, UUID(user_id), UUID(feed.chat_id))
        if document is None or self._feeds.setdefault(feed.chat_id, feed) is not feed:
            return
        if not feed.sockets:
            feed.version = max(feed.version, document["version"])
        frame = framed(orjson.dumps({"type": "chat.created", "chat": document}))
        for socket in self._by_user.get(user_id, set()) - feed.sockets:
            feed.attach(socket)
            socket.push(frame)

    async def _check_seats(self, socket: Socket) -> None:
        """Compares what a socket hears with the seats that its user has now."""
        heard = set(socket.chat_ids)  # what it joins while the seats are read is not in them
        seats_version, seats = await self._seats_of(socket.user_id)
        for chat_id in (heard & socket.chat_ids) - seats.keys():
            self._feeds[chat_id].send_away([socket])
        for chat_id, version in seats.items():
            feed = self._feeds.get(chat_id)
            if feed is None or socket not in feed.sockets:
                await self._join(str(socket.user_id), chat_id)
            elif version > feed.version:
                feed.mend(version)
        if seats.keys() <= socket.chat_ids:  # else a join failed, and the sweep comes again
            socket.seats_version = seats_version

    # The sweep

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(reading.SWEEP_SECONDS)
            try:
                await self._sweep()
            except Exception as error:
                self._swept_whole_at = NEVER
                logger.warning("no sweep, the database is away: %r", error)

    async def _sweep(self) -> None:
        """Finds what the layer lost, and what commands changed."""
        self._close_expired()
        if not self._by_user:
            return
        if time.monotonic() - self._swept_whole_at < WHOLE_SWEEP_SECONDS:
            found = await in_upkeep_pool(reading.recent_changes)
        else:
            self._swept_whole_at = time.monotonic()
            found = await in_upkeep_pool(
                reading.all_changes, [*self._feeds], [*self._by_user], [*self._by_sign_in]
            )
        await self._make_good(found)

    async def _make_good(self, found: reading.Changes) -> None:
        for key in found.ended_sign_ins.keys() & self._by_sign_in.keys():
            self._close_all(key, NOT_SIGNED_IN if found.ended_sign_ins[key] else DEACTIVATED)
        for key in found.seats_versions.keys() & self._by_user.keys():
            for socket in list(self._by_user.get(key, ())):
                if socket.seats_version != found.seats_versions[key]:
                    await self._check_seats(socket)
        await asyncio.sleep(ON_ITS_WAY_SECONDS)
        for chat_id, version in found.chats.items():
            feed = self._feeds.get(chat_id)
            if feed and version > feed.version:
                feed.mend(version)

    def _close_all(self, sign_in_id: str, code: int) -> None:
        for socket in list(self._by_sign_in.get(sign_in_id, ())):
            socket.close(code)

    def _close_expired(self) -> None:
        for sockets in list(self._by_sign_in.values()):
            for socket in list(sockets):
                if reading.has_passed(socket.expires_at):
                    socket.close(NOT_SIGNED_IN)


def _push(sockets: Iterable[Socket | Notes], data: bytes) -> None:
    frame = framed(data)
    for socket in sockets:
        socket.push(frame)


def _discard(index: dict[str, set[T]], key: str, one: T) -> None:
    index.get(key, set()).discard(one)
    if not index.get(key):
        index.pop(key, None)


hub = Hub()
