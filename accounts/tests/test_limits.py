"""Rates themselves: what is granted, how it grows back, and that nobody gets it twice."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts import limits
from accounts.models import Allowance
from chatproject.errors import RateLimited
from chatproject.ids import new_id
from chatproject.times import in_words

HOUR = 3600


@pytest.fixture(autouse=True)
def rates(installation: None, settings: Any) -> Any:
    """Rates that hardly grow back while a test runs, and one that does."""
    settings.RATE_LIMITS = True
    settings.RATES = {"slow": (5, HOUR, 5), "fast": (10, 1, 4), "wide": (1, HOUR, 40)}
    return settings


def key() -> str:
    return str(new_id())


def test_as_many_as_at_once_are_granted_and_then_it_says_when(rates: Any):
    mine = key()
    assert [limits.take("slow", {mine: 1})[mine].granted for _ in range(7)] == [1] * 5 + [0] * 2
    wait = limits.take("slow", {mine: 1})[mine].retry_after
    assert HOUR / 5 - 5 <= wait <= HOUR / 5


def test_of_many_at_once_there_are_as_many_as_there_are():
    mine = key()
    assert limits.take("slow", {mine: 3})[mine].granted == 3
    assert limits.take("slow", {mine: 3})[mine].granted == 2
    assert limits.take("slow", {mine: 3})[mine].granted == 0
    assert limits.take("slow", {mine: 100, key(): 1})[mine].granted == 0


def test_more_than_there_ever_are_at_once_is_never_granted():
    mine = key()
    assert limits.take("slow", {mine: 100})[mine].granted == 5


def test_keys_and_rates_know_nothing_of_each_other():
    mine, other = key(), key()
    assert limits.take("slow", {mine: 5})[mine].granted == 5
    taken = limits.take("slow", {mine: 1, other: 2})
    assert (taken[mine].granted, taken[other].granted) == (0, 2)
    assert limits.take("wide", {mine: 1})[mine].granted == 1


def test_it_grows_back_bit_by_bit_and_never_above_the_whole():
    mine = key()
    assert limits.take("fast", {mine: 4})[mine].granted == 4
    assert limits.take("fast", {mine: 4})[mine] == limits.Taken(0, 1)
    time.sleep(0.25)
    assert 2 <= limits.take("fast", {mine: 4})[mine].granted <= 3
    time.sleep(1)
    assert limits.take("fast", {mine: 100})[mine].granted == 4


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    def run(_: int) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_sixteen_who_take_at_once_get_no_more_than_one(rates: Any):
    mine, new = key(), key()
    assert limits.take("wide", {mine: 1})[mine].granted == 1
    for one, left in ((mine, 39), (new, 40)):
        taken = in_threads(
            16, lambda one=one: sum(limits.take("wide", {one: 1})[one].granted for _ in range(5))
        )
        assert sum(taken) == left
        assert limits.take("wide", {one: 1})[one].granted == 0


def test_sixteen_who_take_for_the_same_people_do_not_hold_each_other_up():
    people = [key() for _ in range(30)]
    taken = in_threads(16, lambda: limits.take("wide", dict.fromkeys(people, 3)))
    for one in people:
        assert sum(each[one].granted for each in taken) == 40


def test_one_of_each_is_taken_or_none():
    mine, spent = key(), key()
    limits.take("slow", {spent: 5})
    for _ in range(10):
        with pytest.raises(RateLimited, match=r"Too many\. Try again in 12 minutes\."):
            limits.spend(("slow", mine), ("slow", spent), because="Too many.")
    assert limits.take("slow", {mine: 9})[mine].granted == 5


def test_what_is_given_back_can_be_taken_again():
    mine = key()
    limits.take("slow", {mine: 4})
    for _ in range(20):
        limits.spend(("slow", mine), because="Too many.")
        limits.give_back(("slow", mine))
    assert limits.take("slow", {mine: 9})[mine].granted == 1


def test_switched_off_it_grants_everything_and_asks_nothing(rates: Any):
    rates.RATE_LIMITS = False
    mine = key()
    with CaptureQueriesContext(connection) as queries:
        assert limits.take("slow", {mine: 1000})[mine].granted == 1000
        limits.spend(("slow", mine), because="Too many.")
        limits.give_back(("slow", mine))
    assert len(queries) == 0


def test_rows_that_say_nothing_any_more_are_forgotten():
    old, new = key(), key()
    limits.take("slow", {old: 1, new: 1})
    Allowance.objects.filter(key=f"slow:{old}").update(whole_at=(time.time() - 100) * 1e6)
    limits.forget_whole()
    assert not Allowance.objects.filter(key=f"slow:{old}").exists()
    assert limits.take("slow", {new: 5})[new].granted == 4


def test_what_strangers_typed_is_not_stored_and_addresses_of_one_house_count_as_one():
    here, there = (limits.sign_in_spendings("my secret", f"2001:db8::{n}") for n in ("1", "ff:2"))
    assert here == there
    assert here != limits.sign_in_spendings("my secret", "2001:db8:0:1::1")
    assert limits.sign_in_spendings("me", "10.0.0.1") != limits.sign_in_spendings("me", "10.0.0.2")
    for address in ("10.0.0.1", "::1", "unknown\n", "", None):
        assert "secret" not in repr(limits.sign_in_spendings("my secret", address))
        for name, mine in limits.sign_in_spendings("x" * 254, address):
            assert len(f"{name}:{mine}") <= 120


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (121, "3 minutes")],
)
def test_waits_are_told_in_words(seconds: int, words: str):
    assert in_words(seconds) == words
