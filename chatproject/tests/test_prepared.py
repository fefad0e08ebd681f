"""Queries whose SQL is made once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chatproject.ids import new_id
from chatproject.pools import release_connection
from chatproject.prepared import Among, prepared
from chatproject.testing import Person


@prepared
def people(ids: list[UUID], above: int) -> Any:
    rows = User.objects.filter(Among("id", ids), seats_version__gt=above)
    return rows.order_by("username")


@prepared
def name_of(user_id: UUID) -> Any:
    return User.objects.filter(id=user_id).values_list("username", flat=True)


def test_the_same_question_is_asked_of_others(alice: Person, bob: Person):
    both = [alice.user.id, bob.user.id]
    assert list(people(both, -1)) == sorted([alice.user, bob.user], key=lambda one: one.username)
    assert list(people([alice.user.id, new_id()], -1)) == [alice.user]
    assert list(people(both, 2**53)) == list(people([], -1)) == []
    assert [list(name_of(one)) for one in both] == [[alice.user.username], [bob.user.username]]


def test_threads_ask_at_once_each_on_its_own_connection(alice: Person, bob: Person):
    def ask(number: int) -> bool:
        who = (alice, bob)[number % 2]
        found = list(name_of(who.user.id))
        release_connection()
        return found == [who.user.username]

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(40)))


def test_it_is_one_query_with_one_parameter_for_all_ids(alice: Person):
    with CaptureQueriesContext(connection) as captured:
        list(people([alice.user.id, *(new_id() for _ in range(1_000))], -1))
    assert len(captured) == 1
