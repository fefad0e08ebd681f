"""Threads for blocking work, so that the event loop never waits and nobody waits for a hash."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore, Semaphore, local
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections

from chatproject.errors import TryAgain

T = TypeVar("T")

REQUEST_THREADS = 64
REQUESTS_AT_ONCE = 2 if settings.IS_SQLITE else REQUEST_THREADS
"""SQLite lets go of Python's lock at every row: sixteen readers take three times as long each."""
TURN_SECONDS = 0.5

_database = ThreadPoolExecutor(4, "database")
_requests = ThreadPoolExecutor(REQUEST_THREADS, "request")
_upkeep = ThreadPoolExecutor(2, "upkeep")
_hashing = ThreadPoolExecutor(2, "hashing")
_hashing_places = BoundedSemaphore(32)


class Turns:
    """So many threads work at once, and the others wait.

    Who has waited for long works without a turn: those who have them may wait for a lock.
    """

    def __init__(self, count: int) -> None:
        self._free = Semaphore(count)
        self._own = local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        self._take()
        try:
            yield
        finally:
            self._give_up()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """For a thread that waits for what others do."""
        if not self._give_up():
            yield
            return
        try:
            yield
        finally:
            self._take()

    def _take(self) -> None:
        self._own.is_taken = self._free.acquire(timeout=TURN_SECONDS)

    def _give_up(self) -> bool:
        was_taken: bool = getattr(self._own, "is_taken", False)
        if was_taken:
            self._own.is_taken = False
            self._free.release()
        return was_taken


_turns = Turns(REQUESTS_AT_ONCE)
waiting_for_others = _turns.given_up


async def in_database_pool(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Runs blocking database work that somebody asked for beside the event loop.

    ``database_sync_to_async`` would run all of it on the one thread that the process shares.
    """
    return await _in(_database, lambda: _with_connection(work, *args, **kwargs))


async def in_request_pool(work: Callable[..., T], *args: Any) -> T:
    """Runs a request of HTTP; many of them wait at times, for a hash or for the writer."""
    return await _in(_requests, lambda: _in_turn(work, *args))


def _in_turn(work: Callable[..., T], *args: Any) -> T:
    with _turns.taken():
        return work(*args)


async def in_upkeep_pool(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """The same for repairs, the sweep and presence, which must not wait behind what people ask."""
    return await _in(_upkeep, lambda: _with_connection(work, *args, **kwargs))


async def _in(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def _with_connection(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return work(*args, **kwargs)
    finally:
        release_connection()


def release_connection() -> None:
    """Gives a pooled connection back; keeps SQLite's file open unless it is broken."""
    close_old_connections()


def in_hashing_pool(work: Callable[..., T], *args: Any) -> T:
    """Hashes a password in a small pool of its own. Raises TryAgain if 32 wait already."""
    if not _hashing_places.acquire(blocking=False):
        raise TryAgain(retry_after=2)
    try:
        release_connection()  # else those who wait for a hash keep connections from the rest
        with waiting_for_others():
            return _hashing.submit(work, *args).result()
    finally:
        _hashing_places.release()
