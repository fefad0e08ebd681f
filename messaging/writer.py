"""The writer: one thread a process, which all sends of this process go through."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from django.db import DatabaseError

from chatproject.errors import TryAgain
from chatproject.outages import DatabaseAway
from chatproject.pools import release_connection
from messaging.batches import Posted, Send, write_batch

logger = logging.getLogger(__name__)

MAX_BATCH = 200
MAX_WAITING = 5_000
KEEP_SECONDS = 1
DATABASE_ERRORS = (DatabaseError, *DatabaseAway)
LOCK_NOT_AVAILABLE = "55P03"


Outcome = Posted | Exception


class Waiting(NamedTuple):
    """A send, and what its outcome is given to: in that loop, or else in the writer's thread."""

    send: Send
    then: Callable[[Outcome], None]
    loop: asyncio.AbstractEventLoop | None


class Writer:
    """One thread. What queues while a transaction commits goes into the next one."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Waiting] = queue.Queue(MAX_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(
        self,
        send: Send,
        then: Callable[[Outcome], None],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Queues a send; ``then`` gets Posted once that is on disk, or a Problem."""
        self._start()
        try:
            self._waiting.put_nowait(Waiting(send, then, loop))
        except queue.Full:
            then(TryAgain(retry_after=1))

    def outcome_of(self, send: Send) -> "Future[Posted]":
        """Queues a send, for who waits in a thread."""
        future: Future[Posted] = Future()

        def settle(outcome: Outcome) -> None:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.submit(send, settle)
        return future

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = [self._first()]
            while len(batch) < MAX_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self._write(batch)

    def _first(self) -> Waiting:
        """The next send. While they follow each other soon, the connection is kept."""
        with suppress(queue.Empty):
            return self._waiting.get(timeout=KEEP_SECONDS)
        release_connection()
        return self._waiting.get()

    def _write(self, batch: list[Waiting]) -> None:
        try:
            outcomes = write_batch([one.send for one in batch])
        except DATABASE_ERRORS as error:
            logger.warning("%d sends not written: %r", len(batch), error)
            self._write_in_parts(batch, error)
        except Exception as error:
            logger.exception("%d sends not written", len(batch))
            self._write_in_parts(batch, error)
        else:
            _settle(batch, outcomes)

    def _write_in_parts(self, batch: list[Waiting], error: Exception) -> None:
        """One chat that is held, or one bad send, must not take the others with it."""
        release_connection()
        parts = _parts(batch, error)
        if parts == [batch]:
            refusal = TryAgain(retry_after=1) if isinstance(error, DATABASE_ERRORS) else error
            _settle(batch, [refusal] * len(batch))
            return
        for part in parts:
            self._write(part)


def _parts(batch: list[Waiting], error: Exception) -> list[list[Waiting]]:
    """What is to be tried again together; the whole batch where nothing is left to try."""
    if _is_connection_lost(error):
        return _known_by_client_id(batch)
    chats: dict[UUID, list[Waiting]] = {}
    for one in batch:
        chats.setdefault(one.send.chat_id, []).append(one)
    if len(chats) > 1 or _is_lock_held(error):
        return list(chats.values())
    return [[one] for one in batch]


def _known_by_client_id(batch: list[Waiting]) -> list[list[Waiting]]:
    """The others may be stored, and a second try would store them twice: they are told so."""
    unknown = [one for one in batch if not one.send.client_id]
    _settle(unknown, [TryAgain(retry_after=1)] * len(unknown))
    known = [one for one in batch if one.send.client_id]
    return [known] if known else []


def _is_connection_lost(error: Exception) -> bool:
    """Perhaps after the commit: a refusal by PostgreSQL has an SQLSTATE."""
    return isinstance(error, DatabaseAway) and not getattr(error.__cause__, "sqlstate", None)


def _is_lock_held(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE


def _settle(batch: Iterable[Waiting], outcomes: Iterable[Outcome]) -> None:
    """Each loop is woken once, however many wait in it."""
    settled: dict[asyncio.AbstractEventLoop | None, list[tuple[Waiting, Outcome]]] = {}
    for one, outcome in zip(batch, outcomes, strict=True):
        settled.setdefault(one.loop, []).append((one, outcome))
    for loop, told in settled.items():
        if loop is None:
            _tell(told)
        else:
            with suppress(RuntimeError):  # it has ended, and who waited in it
                loop.call_soon_threadsafe(_tell, told)


def _tell(told: list[tuple[Waiting, Outcome]]) -> None:
    for one, outcome in told:
        one.then(outcome)


writer = Writer()
