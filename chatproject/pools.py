"""Threads for blocking work, so that the event loop never waits and nobody waits for a hash."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, TypeVar

from django.db import close_old_connections

from chatproject.errors import TryAgain

T = TypeVar("T")

_database = ThreadPoolExecutor(4, "database")
_requests = ThreadPoolExecutor(64, "request")
_upkeep = ThreadPoolExecutor(2, "upkeep")
_hashing = ThreadPoolExecutor(2, "hashing")
_hashing_places = BoundedSemaphore(32)


async def in_database_pool(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Runs blocking database work that somebody asked for beside the event loop.

    ``database_sync_to_async`` would run all of it on the one thread that the process shares.
    """
    return await _in(_database, lambda: _with_connection(work, *args, **kwargs))


async def in_request_pool(work: Callable[..., T], *args: Any) -> T:
    """Runs a request of HTTP; many of them wait at times, for a hash or for the writer."""
    return await _in(_requests, lambda: work(*args))


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
        return _hashing.submit(work, *args).result()
    finally:
        _hashing_places.release()
