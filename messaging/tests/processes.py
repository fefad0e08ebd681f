"""People on different processes of one server."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from uuid import UUID

from accounts.models import Connection
from chatproject.testing import Person, SocketClient


async def process_of(who: Person) -> UUID:
    """The server process of somebody's newest socket."""
    deadline = time.monotonic() + 5
    known = Connection.objects.filter(user=who.user).order_by("-id").values_list("process")
    while not (newest := known.first()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    process: UUID = newest[0]
    return process


@contextlib.asynccontextmanager
async def apart(here: Person, there: Person) -> AsyncIterator[tuple[SocketClient, SocketClient]]:
    """A socket of each, on different processes."""
    async with here.socket() as first:
        await asyncio.sleep(0.2)  # presence is written in batches
        process = await process_of(here)
        for _ in range(50):
            async with there.socket() as second:
                await asyncio.sleep(0.2)
                if await process_of(there) != process:
                    yield first, second
                    return
        raise AssertionError("all sockets came to one process")


async def code_if_closed(socket: SocketClient) -> int | None:
    """None if it is still open after a second."""
    with contextlib.suppress(TimeoutError):
        return await socket.close_code(1)
    return None
