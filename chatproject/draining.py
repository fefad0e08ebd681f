"""Stopping without a surprise: first not ready, and a moment later the port is closed."""

import asyncio
import signal
from types import FrameType

DRAIN_SECONDS = 1
"""Long enough for what stands before the server to ask ``/readyz`` and turn elsewhere."""


class Drain:
    """What SIGTERM begins. A second one ends the server at once."""

    def __init__(self) -> None:
        self.has_begun = False

    def listen(self) -> None:
        """Goes before the handler that ends the server."""
        end, loop = signal.getsignal(signal.SIGTERM), asyncio.get_running_loop()
        assert callable(end)

        def begin(number: int, frame: FrameType | None) -> None:
            seconds, self.has_begun = 0 if self.has_begun else DRAIN_SECONDS, True
            loop.call_soon_threadsafe(loop.call_later, seconds, end, number, frame)

        signal.signal(signal.SIGTERM, begin)


drain = Drain()
