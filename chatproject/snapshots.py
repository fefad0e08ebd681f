"""Reads that belong together: they see one state of the database, whatever is committed between."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection

_BEGIN = {
    "sqlite": "BEGIN DEFERRED",  # takes no lock, unlike the transactions that write
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}
_is_inside = ContextVar("_is_inside", default=False)


@contextmanager
def snapshot() -> Iterator[None]:
    """For reading alone: a chat's version and the counts that go with it must be of one moment."""
    if _is_inside.get():
        yield
        return
    _execute(_BEGIN[connection.vendor])
    token = _is_inside.set(True)
    try:
        yield
    finally:
        _is_inside.reset(token)
        _execute("ROLLBACK")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
