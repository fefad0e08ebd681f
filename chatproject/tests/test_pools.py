"""Turns: few threads work at once, and none waits for ever."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from chatproject.pools import TURN_SECONDS, Turns

AT_ONCE = 2


class Office:
    """A few desks, and people who sit at them until they may go."""

    def __init__(self, people: ThreadPoolExecutor) -> None:
        self.turns = Turns(AT_ONCE)
        self.may_go = Event()
        self.seated: list[str] = []
        self._people = people

    def visit(self, who: str) -> Future[None]:
        return self._people.submit(self._sit, who)

    def _sit(self, who: str) -> None:
        with self.turns.taken():
            self.seated.append(who)
            assert self.may_go.wait(10)

    def are_seated(self, count: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while len(self.seated) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return len(self.seated) == count


@pytest.fixture
def office() -> Iterator[Office]:
    with ThreadPoolExecutor(8) as people:
        office = Office(people)
        yield office
        office.may_go.set()


def test_the_others_wait_until_one_is_done(office: Office):
    visits = [office.visit(who) for who in ("Ana", "Ben", "Cem")]
    assert office.are_seated(AT_ONCE, 5)
    assert not office.are_seated(AT_ONCE + 1, TURN_SECONDS / 2)
    office.may_go.set()
    assert [visit.result(5) for visit in visits] == [None] * 3
    assert len(office.seated) == 3


def test_who_has_waited_for_long_works_all_the_same(office: Office):
    for who in ("Ana", "Ben", "Cem", "Dan"):
        office.visit(who)
    assert office.are_seated(4, TURN_SECONDS + 5)
    office.may_go.set()


def test_a_turn_that_nobody_got_is_not_given_back(office: Office):
    visits = [office.visit(str(number)) for number in range(6)]
    assert office.are_seated(6, TURN_SECONDS + 5)
    office.may_go.set()
    assert [visit.result(5) for visit in visits] == [None] * 6
    office.may_go.clear()
    office.seated.clear()
    for number in range(6):
        office.visit(str(number))
    assert office.are_seated(AT_ONCE, 5)
    assert not office.are_seated(AT_ONCE + 1, TURN_SECONDS / 2)


def test_who_waits_for_others_lets_them_have_the_turn(office: Office):
    with office.turns.taken():
        office.visit("Ana")
        assert office.are_seated(1, 5)
        office.visit("Ben")
        with office.turns.given_up():
            assert office.are_seated(2, TURN_SECONDS / 2)
            office.may_go.set()


def test_what_has_no_turn_has_none_to_give_up(office: Office):
    with office.turns.given_up():
        pass
    for number in range(AT_ONCE + 1):
        office.visit(str(number))
    assert office.are_seated(AT_ONCE, 5)
    assert not office.are_seated(AT_ONCE + 1, TURN_SECONDS / 2)
