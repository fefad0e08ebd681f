"""Telling people their own marks and counts, exactly: of the version that they have been told."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import orjson

from chatproject.pools import in_database_pool
from messaging import reading

MAX_PAUSE_SECONDS = 0.5
MAX_TRIES = 12


class Marks:
    """What the events carry is only that a mark moved: counts that came with it could be older
    than the messages on their way to the same socket, or newer, and stay wrong."""

    def __init__(self, *, version_of: Callable[[str], int | None]) -> None:
        self._version_of = version_of
        self._moved: set[tuple[str, str]] = set()
        self._under_way: set[tuple[str, str]] = set()

    async def tell(self, user_id: str, chat_id: str, push: Callable[[bytes], None]) -> None:
        """Reads until what is read fits what was told. One reader a user and chat at a time."""
        key = (user_id, chat_id)
        self._moved.add(key)
        if key in self._under_way:
            return
        self._under_way.add(key)
        try:
            while key in self._moved:
                self._moved.discard(key)
                await self._tell(user_id, chat_id, push)
        finally:
            self._under_way.discard(key)

    async def _tell(self, user_id: str, chat_id: str, push: Callable[[bytes], None]) -> None:
        for number in range(MAX_TRIES):
            found = await in_database_pool(reading.marks_in, UUID(user_id), UUID(chat_id))
            if found is None:
                return
            version, me = found
            if version == self._version_of(chat_id) or number == MAX_TRIES - 1:
                push(orjson.dumps({"type": "me.updated", "chat_id": chat_id, "me": me}))
                return
            await asyncio.sleep(min(0.01 * 2**number, MAX_PAUSE_SECONDS))
