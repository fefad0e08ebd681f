"""Heads of requests: addresses, headers and trailers, none of which may go on for ever."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
HEAD_SECONDS = 15
"""In which a head has come whole, from when its connection or its first byte came."""


class BoundedHeads(HttpToolsProtocol):
    """Ends a connection (400) once 64 KiB came in that finish no head and belong to no body.

    The server would keep all of them, and a short header takes twenty times its own room. It would
    also keep for ever a connection on which no head is finished.
    """

    _unfinished_bytes = 0
    _gets_on = False
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._expect_nothing()
        self._patience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._patience:
            self._patience.cancel()

    def data_received(self, data: bytes) -> None:
        self._gets_on = False
        super().data_received(data)
        self._unfinished_bytes = 0 if self._gets_on else self._unfinished_bytes + len(data)
        if self._unfinished_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of a request has at most 64 KiB.")

    def on_message_begin(self) -> None:
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._expect_nothing()
        self._gets_on = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._gets_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._gets_on = True
        super().on_message_complete()
