"""The writer: one thread a process, which all sends of this process go through."""

import logging
import queue
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from uuid import UUID

from django.db import DatabaseError

from chatproject.errors import TryAgain
from chatproject.outages import DatabaseAway
from chatproject.pools import release_connection
from messaging.batches import Posted, Send, write_batch

logger = logging.getLogger(__name__)

MAX_BATCH = 200
MAX_WAITING = 5_000
DATABASE_ERRORS = (DatabaseError, *DatabaseAway)
LOCK_NOT_AVAILABLE = "55P03"


class Writer:
    """One thread. What queues while a transaction commits goes into the next one."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Send] = queue.Queue(MAX_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, send: Send) -> "Future[Posted]":
        """Queues a send. Its future holds Posted once that is on disk, or a Problem."""
        self._start()
        try:
            self._waiting.put_nowait(send)
        except queue.Full:
            send.outcome.set_exception(TryAgain(retry_after=1))
        return send.outcome

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < MAX_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            self._write(batch)
            release_connection()

    def _write(self, batch: list[Send]) -> None:
        try:
            outcomes = write_batch(batch)
        except DATABASE_ERRORS as error:
            logger.warning("%d sends not written: %r", len(batch), error)
            self._write_in_parts(batch, error)
        except Exception as error:
            logger.exception("%d sends not written", len(batch))
            self._write_in_parts(batch, error)
        else:
            _settle(batch, outcomes)

    def _write_in_parts(self, batch: list[Send], error: Exception) -> None:
        """One chat that is held, or one bad send, must not take the others with it."""
        release_connection()
        parts = _parts(batch, error)
        if parts == [batch]:
            refusal = TryAgain(retry_after=1) if isinstance(error, DATABASE_ERRORS) else error
            _settle(batch, [refusal] * len(batch))
            return
        for part in parts:
            self._write(part)


def _parts(batch: list[Send], error: Exception) -> list[list[Send]]:
    """What is to be tried again together; the whole batch where nothing is left to try."""
    if _is_connection_lost(error):
        return _known_by_client_id(batch)
    chats: dict[UUID, list[Send]] = {}
    for send in batch:
        chats.setdefault(send.chat_id, []).append(send)
    if len(chats) > 1 or _is_lock_held(error):
        return list(chats.values())
    return [[send] for send in batch]


def _known_by_client_id(batch: list[Send]) -> list[list[Send]]:
    """The others may be stored, and a second try would store them twice: they are told so."""
    unknown = [send for send in batch if not send.client_id]
    _settle(unknown, [TryAgain(retry_after=1)] * len(unknown))
    known = [send for send in batch if send.client_id]
    return [known] if known else []


def _is_connection_lost(error: Exception) -> bool:
    """Perhaps after the commit: a refusal by PostgreSQL has an SQLSTATE."""
    return isinstance(error, DatabaseAway) and not getattr(error.__cause__, "sqlstate", None)


def _is_lock_held(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == LOCK_NOT_AVAILABLE


def _settle(batch: Iterable[Send], outcomes: Iterable[Posted | Exception]) -> None:
    for send, outcome in zip(batch, outcomes, strict=True):
        if not send.outcome.set_running_or_notify_cancel():
            continue  # nobody waits for it any more
        if isinstance(outcome, Exception):
            send.outcome.set_exception(outcome)
        else:
            send.outcome.set_result(outcome)


writer = Writer()
