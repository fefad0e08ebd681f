"""A peer that vanished is noticed, though what was written to it never leaves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
import websockets

from chatproject import peers
from chatproject.testing.services import free_port

pytestmark = pytest.mark.embedded


class Chatterbox:
    """An application that never stops talking to its only socket."""

    def __init__(self) -> None:
        self.has_lost = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        talking = asyncio.create_task(self._talk(send))
        assert (await receive())["type"] == "websocket.disconnect"
        self.has_lost.set()
        await asyncio.wait([talking])
        assert talking.exception()  # its peer is gone

    async def _talk(self, send: Any) -> None:
        while True:
            await send({"type": "websocket.send", "text": "x" * 100_000})


@contextlib.asynccontextmanager
async def serving(application: Chatterbox) -> AsyncIterator[str]:
    """As ``manage.py serve`` does, but for its patience."""
    config = uvicorn.Config(
        application,
        port=free_port(),
        ws=peers.SocketProtocol,
        ws_ping_interval=0.2,
        ws_ping_timeout=0.2,
        lifespan="off",
        log_config=None,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"ws://127.0.0.1:{config.port}"
    server.should_exit = True
    await task


async def test_a_peer_that_takes_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peers, "CLOSING_SECONDS", 0.2)
    application = Chatterbox()
    async with (
        serving(application) as url,
        websockets.connect(url, max_queue=1, ping_interval=None, compression=None) as ws,
    ):
        await asyncio.wait_for(application.has_lost.wait(), 10)
        ws.transport.abort()
