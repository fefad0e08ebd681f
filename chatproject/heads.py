"""Heads of requests: addresses, headers and trailers, none of which may go on for ever."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536


class BoundedHeads(HttpToolsProtocol):
    """Ends a connection (400) once 64 KiB came in that finish no head and belong to no body.

    The server would keep all of them, and a short header takes twenty times its own room.
    """

    _unfinished_bytes = 0
    _gets_on = False

    def data_received(self, data: bytes) -> None:
        self._gets_on = False
        super().data_received(data)
        self._unfinished_bytes = 0 if self._gets_on else self._unfinished_bytes + len(data)
        if self._unfinished_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of a request has at most 64 KiB.")

    def on_headers_complete(self) -> None:
        self._gets_on = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._gets_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._gets_on = True
        super().on_message_complete()
