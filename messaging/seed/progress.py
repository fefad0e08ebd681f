"""A progress bar."""

import time
from typing import TextIO

WIDTH = 30


class Progress:
    """On a terminal one line that moves; elsewhere a line a tenth."""

    def __init__(self, total: int, noun: str, out: TextIO) -> None:
        self.total, self.noun, self.out = total, noun, out
        self.done = 0
        self._started = time.monotonic()
        self._shown_at = 0.0
        self._shown_tenths = 0

    def add(self, count: int) -> None:
        self.done += count
        if self._is_due():
            self._show()

    def _is_due(self) -> bool:
        if self.out.isatty():
            return self.done >= self.total or time.monotonic() - self._shown_at > 0.2
        return self.done * 10 // self.total > self._shown_tenths

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        self._shown_tenths = self.done * 10 // self.total
        is_over = self.done >= self.total
        end = "\n" if is_over or not self.out.isatty() else ""
        start = "\r" if self.out.isatty() else ""
        self.out.write(f"{start}{self.line()}{end}")
        self.out.flush()

    def line(self) -> str:
        filled = WIDTH * self.done // self.total
        seconds = time.monotonic() - self._started
        left = seconds * (self.total - self.done) / max(self.done, 1)
        return (
            f"[{'#' * filled}{' ' * (WIDTH - filled)}] {100 * self.done // self.total:3} %"
            f"  {self.done:,} of {self.total:,} {self.noun}, {_clock(left)} left "
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
