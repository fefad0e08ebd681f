"""Peers: a faster way to those that read, and an end for those that take nothing any more."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from chatproject.wires import EXTENSION

CLOSING_SECONDS = 3
RESTARTING = 1012


class Transport:
    """Closes for certain. Others first write what waits, to a peer that vanished for ever."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        self._transport.close()
        asyncio.get_running_loop().call_later(CLOSING_SECONDS, self._transport.abort)


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's. Else the hub never heard of the end of a socket whose buffers are full."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        certain = Transport(cast(asyncio.Transport, transport))
        super().connection_made(cast(asyncio.Transport, certain))

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:  # the application has not begun yet
            extensions = cast(dict[str, Any], self.scope["extensions"])
            extensions[EXTENSION] = _Wire(self)

    def shutdown(self) -> None:
        """Says 1012 and lets the peer answer: what it still sends would else cut that word off."""
        if self.close_sent or not self.handshake_complete:
            super().shutdown()
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": RESTARTING})
        self.conn.send_close(RESTARTING)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.close)


class _Wire:
    """Writes to the transport itself: uvicorn would build a frame anew for every peer."""

    def __init__(self, protocol: SocketProtocol) -> None:
        self._protocol = protocol
        self._write = protocol.transport.write
        self._is_closing = protocol.transport.is_closing
        self._is_writable = protocol.writable.is_set

    @property
    def is_free(self) -> bool:
        return self._is_writable()

    def write(self, frames: bytes) -> None:
        if not (self._protocol.close_sent or self._is_closing()):
            self._write(frames)

    async def send(self, frames: bytes) -> None:
        await self._protocol.writable.wait()
        if self._protocol.disconnected:
            raise ClientDisconnected
        self.write(frames)

    async def close(self, code: int) -> None:
        await self._protocol.send({"type": "websocket.close", "code": code})
