"""Bodies of requests: none over 1 MiB is taken in, on any address."""

from typing import Any

import orjson

from chatproject.api import error_document
from chatproject.errors import TooLarge

MAX_BODY_BYTES = 1024 * 1024


class BoundedBodies:
    """Answers 413 as soon as a body is announced as too large, or turns out to be.

    It stands before Django, which takes in a body whole before it looks at the address.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
        elif _announced_bytes(scope) > MAX_BODY_BYTES:
            await _refuse(send)
        else:
            await self._read_at_most(scope, receive, send)

    async def _read_at_most(self, scope: Any, receive: Any, send: Any) -> None:
        taken = 0

        async def receive_counted() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # To the application, a client that sends too much has gone away.
            return message if taken <= MAX_BODY_BYTES else {"type": "http.disconnect"}

        await self._application(scope, receive_counted, send)
        if taken > MAX_BODY_BYTES:
            await _refuse(send)


def _announced_bytes(scope: Any) -> int:
    value = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(value) if value.isdigit() else 0


async def _refuse(send: Any) -> None:
    body = orjson.dumps(error_document(TooLarge("A body of over 1 MiB is too large.")))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
