"""Steps that a test holds open while something else happens."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any


class Held:
    """Calls a function as ever, but keeps what it found back until it is let go."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work
        self._found = threading.Semaphore(0)
        self._let_go = threading.Semaphore(0)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self._work(*args, **kwargs)
        self._found.release()
        assert self._let_go.acquire(timeout=20)
        return found

    async def found(self) -> None:
        """Waits until one more call has found what it will return."""
        assert await asyncio.to_thread(self._found.acquire, timeout=5)

    def let_go(self, calls: int = 1) -> None:
        self._let_go.release(calls)


Hold = Callable[[Any, str], Held]
"""The fixture: holds each call of a module's function from now on."""
