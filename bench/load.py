"""A driver at work, in a process of its own."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class LoadFailed(Exception):
    """The driver could not do what it was to: it says why."""


class Load:
    """Connects when it is made; what it started ends with its ``with`` block.

    ``connected`` is what connecting took. ``on_progress`` hears how many are ``connected``, and
    how many ``seconds`` have gone by.
    """

    def __init__(
        self, module: str, plan: Any, on_progress: Callable[[str, int], None] | None = None
    ) -> None:
        self._on_progress = on_progress
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for whoever started it
        )
        try:
            self._say(json.dumps(dataclasses.asdict(plan)))
            self.connected = self._hear()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> "Load":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def found(self) -> dict[str, Any]:
        """Lets it begin, and waits for its end."""
        self._say("")
        return self._hear()

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        """Its next line that is not of progress."""
        assert self._process.stdout
        for line in self._process.stdout:
            said: dict[str, Any] = json.loads(line)
            if "failed" in said:
                raise LoadFailed(said["failed"])
            if len(said) > 1:
                return said
            if self._on_progress:
                self._on_progress(*said.popitem())
        raise LoadFailed("the driver ended: it says above why")

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()
