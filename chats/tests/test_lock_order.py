"""Actions at once that hold several chats and people: chats first, then people, each in order."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.actions import set_active
from accounts.models import User
from chatproject.errors import Conflict, Forbidden, Invalid, NotThere, TryAgain
from chatproject.pools import release_connection
from chatproject.testing import Person
from chats import actions
from chats.models import Chat, Membership
from messaging.batches import Send
from messaging.writer import Writer

pytestmark = pytest.mark.services

LOCKING = re.compile(r"FOR (NO KEY )?UPDATE|^UPDATE|^DELETE")
REFUSALS = (Conflict, Forbidden, Invalid, NotThere)
"""What one who was overtaken may be told."""
STORM_SECONDS = 2

Action = Callable[[], Any]


def step_by_step(*several: Action) -> None:
    """Runs them at once, none a lock ahead of another that does not wait for it.

    So any two that take the same locks in another order wait for each other, which PostgreSQL
    ends with an error.
    """
    meeting = threading.Barrier(len(several))

    def meet(execute: Any, *statement: Any) -> Any:
        result = execute(*statement)
        if LOCKING.search(statement[0]):
            with suppress(threading.BrokenBarrierError):
                meeting.wait(0.3)
        return result

    def run(action: Action) -> None:
        with connection.execute_wrapper(meet):
            alone(action)

    with ThreadPoolExecutor(len(several)) as pool:
        for one in [pool.submit(run, action) for action in several]:
            one.result()


def alone(action: Action) -> None:
    try:
        action()
    except REFUSALS:
        pass
    finally:
        release_connection()


@pytest.fixture
def people(person: Callable[[str], Person]) -> list[User]:
    """In the order of their ids. Whoever reads the table as it lies has them the other way."""
    people = sorted((person(name).user for name in ("ana", "ben", "cleo")), key=lambda one: one.id)
    for one in reversed(people):
        User.objects.filter(id=one.id).update(last_seen=timezone.now())
    return people


def group_of(owner: User, *members: User) -> Chat:
    return actions.create_group(actor=owner, name="Crew", members=members)


def leaves(user: User, chat: Chat) -> Action:
    return lambda: actions.remove_member(actor=user, chat=chat, user_id=user.id)


def adds(owner: User, chat: Chat, *users: User) -> Action:
    return lambda: actions.add_members(actor=owner, chat=chat, users=users)


def test_two_owners_leave_to_each_other(people: list[User]):
    ana, ben, _ = people
    first, second = group_of(ana, ben), group_of(ben, ana)
    step_by_step(leaves(ana, first), leaves(ben, second))
    owners = Membership.objects.present().filter(chat__in=[first, second], role="owner")
    assert {(one.chat_id, one.user_id) for one in owners} == {
        (first.id, ben.id),
        (second.id, ana.id),
    }


def test_people_are_added_again_in_opposing_orders(people: list[User]):
    ana, ben, cleo = people
    first, second = group_of(cleo, ana, ben), group_of(cleo, ben, ana)
    for chat in (first, second):
        for user in (ana, ben):
            leaves(user, chat)()
    step_by_step(adds(cleo, first, ana, ben), adds(cleo, second, ben, ana))
    assert Membership.objects.present().filter(chat__in=[first, second]).count() == 6


def test_some_are_added_and_others_taken_back_in_opposing_orders(people: list[User]):
    ana, ben, cleo = people
    first, second = group_of(cleo, ana), group_of(cleo, ben)
    leaves(ana, first)()
    leaves(ben, second)()
    step_by_step(adds(cleo, first, ana, ben), adds(cleo, second, ana, ben))
    assert Membership.objects.present().filter(chat__in=[first, second]).count() == 6


@pytest.mark.parametrize(
    "change",
    [
        lambda owner, chat: leaves(owner, chat),
        lambda owner, chat: lambda: actions.delete_chat(actor=owner, chat=chat),
        lambda owner, chat: (
            lambda: actions.set_role(actor=owner, chat=chat, user_id=owner.id, role="member")
        ),
    ],
)
def test_somebody_is_deactivated_while_their_seat_changes(people: list[User], change: Any):
    ana, ben, cleo = people
    chat = group_of(ana, ben, cleo)
    actions.set_role(actor=ana, chat=chat, user_id=ben.id, role="owner")
    others = group_of(ana, ben)
    step_by_step(lambda: set_active(users=[ana], is_active=False), change(ana, chat))
    owner = Membership.objects.present().get(chat=others, role="owner")
    assert owner.user_id == ben.id


@pytest.mark.parametrize(
    "action",
    [
        lambda people, chat: actions.delete_chat(actor=people[2], chat=chat),
        lambda people, chat: set_active(users=people, is_active=False),
        lambda people, chat: set_active(users=people[2:], is_active=False),
    ],
    ids=["a group ends", "they are deactivated", "one hands on a group"],
)
def test_what_holds_people_goes_on_beside_a_new_group_of_them(people: list[User], action: Any):
    """Who holds somebody in the middle lets both come as far as they get."""
    ana, ben, cleo = people
    chat = group_of(cleo, ana, ben)
    several: list[Action] = [lambda: group_of(ben, ana, cleo), lambda: action(people, chat)]
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            User.objects.locked().get(id=ben.id)
            waiting = []
            for one in several:
                waiting.append(pool.submit(alone, one))
                time.sleep(0.2)
            assert not any(one.done() for one in waiting)
        for outcome in waiting:
            outcome.result()


def test_all_at_once_for_a_while(person: Callable[[str], Person]):
    people = [person("crew").user for _ in range(6)]
    chats = [group_of(one, *people) for one in people[:3]]
    writer, until = Writer(), time.monotonic() + STORM_SECONDS
    done: Counter[str] = Counter()

    def go_on(seed: int) -> None:
        dice = random.Random(seed)
        while time.monotonic() < until:
            several = actions_among(dice, people, chats, writer)
            name = dice.choice(list(several))
            alone(several[name])
            done[name] += 1

    with ThreadPoolExecutor(8) as pool:
        for one in [pool.submit(go_on, seed) for seed in range(8)]:
            one.result()
    assert len(done) == 6, done


def actions_among(
    dice: random.Random, people: list[User], chats: list[Chat], writer: Writer
) -> dict[str, Action]:
    actor, other, *crew = dice.sample(people, len(people))
    chat, role = dice.choice(chats), dice.choice(["owner", "member"])
    is_active = dice.random() > 0.3

    def send() -> None:
        sends = [writer.outcome_of(Send(actor.id, None, one.id, "x")) for one in chats]
        with suppress(TryAgain):  # the writer waits for no chat long
            for one in sends:
                one.result(10)

    return {
        "send": send,
        "leave": leaves(actor, chat),
        "add": adds(actor, chat, *crew),
        "deactivate": lambda: set_active(users=[actor, other], is_active=is_active),
        "role": lambda: actions.set_role(actor=actor, chat=chat, user_id=other.id, role=role),
        "end": lambda: actions.delete_chat(actor=actor, chat=group_of(actor, *crew, other)),
    }
