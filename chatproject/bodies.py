"""Bodies of requests: none over 1 MiB is taken in, on any address."""

from typing import Any

import orjson

from chatproject.api import error_document
from chatproject.errors import TooLarge

MAX_BODY_BYTES = 1024 * 1024


class BoundedBodies:
    """Answers 413 as soon as a body is announced as too large, or turns out to be.

    It stands before Django, which takes in a body whole before it looks at the address. A body in
    chunks goes on with its length, without which it would be taken for empty.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if int(headers.get(b"content-length", b"0")) > MAX_BODY_BYTES:
                await _refuse(send)
                return
            if b"transfer-encoding" in headers:
                await self._read_first(scope, receive, send)
                return
        await self._application(scope, receive, send)

    async def _read_first(self, scope: Any, receive: Any, send: Any) -> None:
        body, has_more = bytearray(), True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            has_more = message.get("more_body", False)
            if len(body) > MAX_BODY_BYTES:
                await _refuse(send)
                return
        whole = iter([{"type": "http.request", "body": bytes(body), "more_body": False}])

        async def receive_whole() -> Any:
            return next(whole, None) or await receive()

        length = (b"content-length", b"%d" % len(body))
        scope = {**scope, "headers": [*scope["headers"], length]}
        await self._application(scope, receive_whole, send)


async def _refuse(send: Any) -> None:
    body = orjson.dumps(error_document(TooLarge("A body of over 1 MiB is too large.")))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
