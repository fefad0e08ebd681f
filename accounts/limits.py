"""Rates: how much of something somebody may do, counted in the database for all processes.

This is the generic cell rate algorithm of ITU-T I.371, the leaky bucket that holds one moment a
key: when all that was taken will have grown back. One statement takes as much as there is and
tells how much that was. Its row is locked until the transaction ends, so no two processes take
the same; keys are taken in sorted order, so no two wait for each other.
"""

import hashlib
import math
import time
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from accounts.models import Allowance, User
from chatproject.errors import RateLimited

Key = TypeVar("Key")
Spending = tuple[str, str]
"""The name of a rate in the settings, and whose it is."""

TOO_FAST = "That is too fast."
SECOND = 1_000_000
FORGOTTEN_AT_ONCE = 1_000
FORGOTTEN_AFTER_SECONDS = 60

TAKE = """
INSERT INTO allowances AS held (key, whole_at, granted) VALUES {rows}
ON CONFLICT (key) DO UPDATE SET
    whole_at = {most}(held.whole_at, {now}) + {step} * {granted},
    granted = {granted}
RETURNING key, granted, whole_at + {step} - {span} - {now}
"""
GRANTED = """
{least}(excluded.granted, {most}(0, ({now} + {span} - {most}(held.whole_at, {now})) / {step}))
"""
DIALECTS = {
    "sqlite": {
        "now": "CAST((JULIANDAY('now') - 2440587.5) * 86400000000 AS INTEGER)",
        "most": "MAX",
        "least": "MIN",
    },
    "postgresql": {
        "now": "CAST(EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) * 1000000 AS BIGINT)",
        "most": "GREATEST",
        "least": "LEAST",
    },
}


class Taken(NamedTuple):
    """How many of those wanted there were, and in how many seconds there is the next one."""

    granted: int
    retry_after: int


class Rate(NamedTuple):
    """In microseconds: what one costs, and how much there is when nothing was taken."""

    step: int
    span: int
    burst: int


def rate_named(name: str) -> Rate:
    count, seconds, burst = settings.RATES[name]
    step = seconds * SECOND // count
    return Rate(step, step * burst, burst)


def take(name: str, wanted: Mapping[Key, int]) -> dict[Key, Taken]:
    """Takes as many as are wanted, or as there are, for each key."""
    if not settings.RATE_LIMITS or not wanted:
        return {key: Taken(count, 0) for key, count in wanted.items()}
    names = {f"{name}:{key}": key for key in wanted}
    rate = rate_named(name)
    counts = {one: min(wanted[names[one]], rate.burst) for one in sorted(names)}
    with connection.cursor() as cursor:
        cursor.execute(_statement(rate, counts), list(counts))
        rows = cursor.fetchall()
    return {names[one]: Taken(count, _seconds(wait)) for one, count, wait in rows}


def _statement(rate: Rate, counts: Mapping[str, int]) -> str:
    words = {**DIALECTS[connection.vendor], "step": rate.step, "span": rate.span}
    rows = [f"(%s, {words['now']} + {rate.step * n}, {n})" for n in counts.values()]
    return TAKE.format(**words, rows=", ".join(rows), granted=GRANTED.format(**words))


def _seconds(microseconds: int) -> int:
    return max(1, math.ceil(microseconds / SECOND))


def spend(*spendings: Spending, because: str) -> None:
    """Takes one of each, or of none. Raises RateLimited, which says why and when to come back."""
    if not settings.RATE_LIMITS:
        return
    with transaction.atomic():
        for spending in sorted(spendings):
            _spend_one(spending, because)


def _spend_one(spending: Spending, because: str) -> None:
    name, key = spending
    taken = take(name, {key: 1})[key]
    if not taken.granted:
        raise RateLimited(because, retry_after=taken.retry_after)


def count_change(actor: User) -> None:
    """For an action that others will hear of, in its transaction. Raises RateLimited.

    Called before people's rows are locked, and after chats', by all: else two could wait for
    each other.
    """
    _spend_one(("change", str(actor.id)), TOO_FAST)


def give_back(*spendings: Spending) -> None:
    """Undoes ``spend``."""
    if not settings.RATE_LIMITS:
        return
    with transaction.atomic():
        for name, key in sorted(spendings):
            rows = Allowance.objects.filter(key=f"{name}:{key}")
            rows.update(whole_at=F("whole_at") - rate_named(name).step)


def sign_in_spendings(account: str, address: str | None) -> list[Spending]:
    """What a wrong password takes: of both together, and of each alone."""
    account, network = _digest(account), _network(address or "")
    return [
        ("sign-in", f"{account} {network}"),
        ("sign-in to account", account),
        ("sign-in from address", network),
    ]


def registration_spending(address: str | None) -> Spending:
    return "registration", _network(address or "")


def _digest(text: str) -> str:
    """People type passwords in the place of their name: what they typed is not stored."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _network(address: str) -> str:
    """The address, or the /64 that it is from: whoever has one of those has all of it."""
    try:
        is_long = ip_address(address).version == 6
    except ValueError:
        return _digest(address)
    return str(ip_network((address, 64), strict=False)) if is_long else address


class Pace:
    """A rate of this process alone, for what is not worth a row."""

    def __init__(self, name: str) -> None:
        self._rate = rate_named(name)
        self._whole_at = 0

    def has_room(self) -> bool:
        """Takes one if there is one."""
        now = time.monotonic_ns() // 1_000
        whole_at = max(self._whole_at, now) + self._rate.step
        if settings.RATE_LIMITS and whole_at > now + self._rate.span:
            return False
        self._whole_at = whole_at
        return True


def forget_whole() -> None:
    """Deletes some of the rows from which nothing is taken any more; they say nothing."""
    before = (int(time.time()) - FORGOTTEN_AFTER_SECONDS) * SECOND
    rows: Any = Allowance.objects.filter(whole_at__lt=before)
    with transaction.atomic():
        # Who holds a row is about to take from it, and may hold others: waiting could be for ever.
        free = rows.select_for_update(skip_locked=True).values_list("key", flat=True)
        Allowance.objects.filter(key__in=list(free[:FORGOTTEN_AT_ONCE])).delete()
