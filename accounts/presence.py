"""Who is online: rows of processes and connections, written in batches."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import limits
from accounts.models import (
    HEARTBEAT_SECONDS,
    Connection,
    ServerProcess,
    User,
    stale_before,
)
from accounts.preferences import hides_presence
from chatproject.ids import new_id
from chatproject.pools import in_upkeep_pool
from chatproject.realtime import Envelope, publish, to_watchers
from chatproject.times import rfc3339_or_none

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3
"""Somebody back within this time was never gone."""
BATCH_SECONDS = 0.02


def online_among(user_ids: Collection[UUID]) -> set[UUID]:
    """Those of these people who are online now."""
    if not user_ids:
        return set()
    return set(Connection.objects.alive().filter(user__in=user_ids).values_list("user", flat=True))


def presence_document(user: User, *, is_online: bool) -> dict[str, Any]:
    """What others are told: of those who hide it, the same whether or not they are there."""
    if hides_presence(user):
        return {"is_online": False, "last_seen": None}
    return {"is_online": is_online, "last_seen": rfc3339_or_none(user.last_seen)}


def announce(user: User) -> None:
    """Tells watchers what they may know now, once somebody hides or shows it."""
    publish(_announcement(user, is_online=bool(online_among([user.id]))))


def admit_connections(process_id: UUID, asking: dict[UUID, UUID]) -> set[UUID]:
    """Stores those new connections (id: user id) that their users may have; returns their ids."""
    with transaction.atomic():
        admitted = {key: asking[key] for key in _within_limits(asking)}
        open_connections(process_id, admitted)
    return set(admitted)


def _within_limits(asking: dict[UUID, UUID]) -> list[UUID]:
    if not settings.RATE_LIMITS:
        return list(asking)
    # Holds each user's row: what another process admits is counted here, or counts this.
    taken = limits.take("connect", Counter(asking.values()))
    rows = Connection.objects.open().filter(user__in=taken).exclude(id__in=asking)
    opened = Counter(rows.values_list("user", flat=True))
    room = {
        user_id: min(one.granted, settings.MAX_SOCKETS - opened[user_id])
        for user_id, one in taken.items()
    }
    admitted = []
    for key, user_id in asking.items():
        room[user_id] -= 1
        if room[user_id] >= 0:
            admitted.append(key)
    return admitted


def open_connections(process_id: UUID, opened: dict[UUID, UUID]) -> None:
    """Stores new connections (id: user id) and announces who was not online before.

    For callers within a transaction.
    """
    known = _held(opened.values())
    before = online_among(known)
    process = ServerProcess.objects.filter(id=process_id)
    if not process.update(heartbeat_at=Now()):
        _store_process(process_id)
    Connection.objects.bulk_create(
        [
            Connection(id=key, process_id=process_id, user_id=user_id)
            for key, user_id in opened.items()
            if user_id in known
        ],
        ignore_conflicts=True,
    )
    arrived = [user for user in known.values() if user.id not in before]
    _announce(arrived, is_online=True)


def _store_process(process_id: UUID) -> None:
    """The heartbeat and the first connection come at once, from two threads."""
    ServerProcess.objects.bulk_create([ServerProcess(id=process_id)], ignore_conflicts=True)


def leave_places(ids: Iterable[UUID]) -> None:
    """Lets others have the places of connections that are closed."""
    Connection.objects.filter(id__in=list(ids)).update(is_open=False)


def close_connections(ids: Iterable[UUID]) -> None:
    """Forgets connections and announces who is offline now."""
    with transaction.atomic():
        rows = Connection.objects.filter(id__in=list(ids))
        users = _held(rows.values_list("user", flat=True))
        rows.delete()
        _announce_offline(users, timezone.now())


def reap_stale_processes() -> None:
    """Forgets processes that died; their people were last seen at their last heartbeat."""
    for process in ServerProcess.objects.filter(heartbeat_at__lt=stale_before()):
        with transaction.atomic():
            users = _held(process.connections.values_list("user", flat=True))
            deleted, _ = ServerProcess.objects.filter(
                id=process.id, heartbeat_at__lt=stale_before()
            ).delete()
            if deleted:  # else it lives again, or another process was first
                _announce_offline(users, process.heartbeat_at)


def _held(user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """People whose presence no other process can judge until the transaction ends.

    Else two processes that each lose somebody's last socket would both see the other's.
    """
    return {user.id: user for user in User.objects.locked().filter(id__in=set(user_ids))}


def _announce_offline(users: dict[UUID, User], last_seen: datetime) -> None:
    gone = users.keys() - online_among(users.keys())
    User.objects.filter(id__in=gone).update(last_seen=last_seen)
    for user_id in gone:
        users[user_id].last_seen = last_seen
    _announce((users[user_id] for user_id in gone), is_online=False)


def _announce(users: Iterable[User], *, is_online: bool) -> None:
    shown = (user for user in users if not hides_presence(user))
    publish(*(_announcement(user, is_online=is_online) for user in shown))


def _announcement(user: User, *, is_online: bool) -> Envelope:
    facts = presence_document(user, is_online=is_online)
    return to_watchers(user.id, {"type": "presence", "user_id": str(user.id), **facts})


class PresenceWriter:
    """Keeps this process's rows true: a heartbeat, and connections in batches."""

    def __init__(self) -> None:
        self.process_id = new_id()
        self._connected: dict[UUID, UUID] = {}
        self._asking: dict[UUID, UUID] = {}
        self._answers: dict[UUID, asyncio.Future[bool]] = {}
        self._left: set[UUID] = set()
        self._closed: set[UUID] = set()
        self._wake = asyncio.Event()

    async def connected(self, connection_id: UUID, user_id: UUID) -> bool:
        """Whether its user may have one more connection; it is stored then."""
        self._connected[connection_id] = self._asking[connection_id] = user_id
        answer = self._answers[connection_id] = asyncio.get_running_loop().create_future()
        self._wake.set()
        return await answer

    def disconnected(self, connection_id: UUID) -> None:
        """Leaves its place at once, and its user online for the grace."""
        self._asking.pop(connection_id, None)
        if self._connected.pop(connection_id, None):
            self._left.add(connection_id)
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._forget, connection_id)
            self._wake.set()

    def _forget(self, connection_id: UUID) -> None:
        self._closed.add(connection_id)  # of now: every batch begins a new set
        self._wake.set()

    async def run(self) -> None:
        """Writes what changed, and the heartbeat, until cancelled."""
        await asyncio.gather(self._write_batches(), self._beat())

    async def stop(self) -> None:
        """Forgets this process: nobody is online through it any more."""
        ids = [*self._connected, *self._left, *self._closed]
        try:
            await in_upkeep_pool(close_connections, ids)
            await in_upkeep_pool(ServerProcess.objects.filter(id=self.process_id).delete)
        except Exception as error:
            logger.warning("this process is not forgotten, another will do it: %r", error)

    async def _write_batches(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            left, self._left = self._left, set()
            asking, self._asking = self._asking, {}
            closed, self._closed = self._closed, set()
            try:
                await self._write(left, asking, closed)
            except Exception as error:
                logger.warning("presence not written, will be: %r", error)
                self._left |= left
                still = {key: who for key, who in asking.items() if key in self._connected}
                self._asking = still | self._asking
                self._closed |= closed
                self._wake.set()
                await asyncio.sleep(1)
            await asyncio.sleep(BATCH_SECONDS)

    async def _write(self, left: set[UUID], asking: dict[UUID, UUID], closed: set[UUID]) -> None:
        if left and settings.RATE_LIMITS:
            await in_upkeep_pool(leave_places, left)
        if closed:
            await in_upkeep_pool(close_connections, closed)
        if asking:  # last: what is answered is never asked again
            admitted = await in_upkeep_pool(admit_connections, self.process_id, asking)
            for key in asking:
                self._answer(key, key in admitted)

    def _answer(self, connection_id: UUID, is_admitted: bool) -> None:
        if not is_admitted:
            self._connected.pop(connection_id, None)
        answer = self._answers.pop(connection_id, None)
        if answer and not answer.done():
            answer.set_result(is_admitted)

    async def _beat(self) -> None:
        while True:
            try:
                await in_upkeep_pool(self._heartbeat)
            except Exception as error:
                logger.warning("no heartbeat written: %r", error)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _heartbeat(self) -> None:
        is_known = ServerProcess.objects.filter(id=self.process_id).update(heartbeat_at=Now())
        reap_stale_processes()
        limits.forget_whole()
        if is_known:
            return
        # New, or taken for dead while it was suspended: say again who is connected.
        _store_process(self.process_id)
        if self._connected:
            with transaction.atomic():
                open_connections(self.process_id, dict(self._connected))
