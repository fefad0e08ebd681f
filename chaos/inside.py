"""The application as it is, and at one more address how many tasks its process has.

``python -m chaos.inside`` serves it as ``manage.py serve`` does.
"""

import asyncio
import os
from typing import Any

import orjson
from django.conf import settings

from chatproject import asgi
from chatproject.management.commands.serve import serve


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope.get("path") != "/tasks":
        await asgi.application(scope, receive, send)
        return
    body = orjson.dumps({"pid": os.getpid(), "tasks": len(asyncio.all_tasks())})
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    serve("chaos.inside:application", settings.HOST, settings.PORT)
