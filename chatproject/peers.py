"""Sockets whose peer takes nothing any more: they end, whatever still waits to be written."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

CLOSING_SECONDS = 3


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
