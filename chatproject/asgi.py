"""Where requests and sockets come in."""

import asyncio
import gc
import multiprocessing
import os
import signal
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
files = get_asgi_application()

# Only now are the apps there to be imported.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from chatproject.bodies import BoundedBodies  # noqa: E402
from chatproject.draining import drain  # noqa: E402
from chatproject.requests import ThreadedHandler  # noqa: E402
from messaging.consumers import ChatConsumer  # noqa: E402
from messaging.hub import hub  # noqa: E402

GARBAGE_AFTER = 20_000
"""New objects, net of those that went: Python's own 700 are made by two messages."""


async def no_such_socket(scope: Any, receive: Any, send: Any) -> None:
    """Refuses the handshake of a socket at any other address (403)."""
    await receive()
    await send({"type": "websocket.close"})


pages = ThreadedHandler()


async def files_or_pages(scope: Any, receive: Any, send: Any) -> None:
    is_file = scope["path"].startswith(settings.STATIC_URL)
    await (files if is_file else pages)(scope, receive, send)


router = ProtocolTypeRouter(
    {
        "http": BoundedBodies(files_or_pages),
        "websocket": URLRouter(
            [path("ws", ChatConsumer.as_asgi()), re_path(r"^[\s\S]*\Z", no_such_socket)]
        ),
    }
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The whole server: starts the hub with the process and stops it with it."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    hub.ensure_started()
    await router(scope, receive, send)


def _end_with_parent() -> None:
    """A worker that outlives the process that started it would hold the port against the next."""
    parent, loop = multiprocessing.parent_process(), asyncio.get_running_loop()
    if parent is None:
        return
    ended = parent.sentinel

    def end() -> None:
        loop.remove_reader(ended)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(ended, end)


def _collect_garbage_seldom() -> None:
    """What was imported stays for ever: looking at it again and again took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


async def _live(receive: Any, send: Any) -> None:
    await receive()
    hub.ensure_started()
    _end_with_parent()
    drain.listen()
    _collect_garbage_seldom()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await hub.stop()
    await send({"type": "lifespan.shutdown.complete"})
