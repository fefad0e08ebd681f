"""The checker itself: it finds nothing wrong in true books, and each thing that can be wrong."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from chaos.checker import check
from chaos.ledger import Absence, Book, Event, Held, Ledger, Send, Stored, Truth

CHAT = "chat"


@pytest.fixture
def ledger() -> Ledger:
    """Ana sends five over one connection; Ben, who was out for two of them, hears the others."""
    sends = {
        f"c{number}": Send("ana", CHAT, f"c{number}", 1, number, "ok", number)
        for number in range(1, 6)
    }
    sends["c6"] = Send("ana", CHAT, "c6", 1, 6, "failed")
    known = {number: Held(number, f"c{number}", "hi") for number in range(1, 6)}
    hers = [Event(1, CHAT, number, "message.created", at=number) for number in range(1, 6)]
    his = [event for event in hers if event.version not in (3, 4)]
    books = {
        "ana": Book("ana", hers, {CHAT: known}, {CHAT: 5}),
        "ben": Book("ben", his, {CHAT: dict(known)}, {CHAT: 5}),
    }
    return Ledger(sends, books, [Absence("ben", CHAT, since=2, until=4.5)])


@pytest.fixture
def truth() -> Truth:
    messages = [stored(number, f"c{number}") for number in range(1, 6)]
    return Truth(messages, {CHAT: 5}, {CHAT: {"ana", "ben"}})


def stored(seq: int, client_id: str) -> Stored:
    return Stored(CHAT, seq, "ana", Held(seq, client_id, "hi"))


def found(ledger: Ledger, truth: Truth) -> set[str]:
    return {name for name, wrong in check(ledger, truth).items() if wrong}


def test_true_books_are_fine(ledger: Ledger, truth: Truth):
    assert found(ledger, truth) == set()


def drop_a_message(ledger: Ledger, truth: Truth) -> None:
    truth.messages.pop(2)


def drop_the_last(ledger: Ledger, truth: Truth) -> None:
    """No hole shows it, only who was told that it is there."""
    truth.messages.pop()
    truth.versions[CHAT] = 4


def store_twice(ledger: Ledger, truth: Truth) -> None:
    truth.messages.append(stored(6, "c2"))


def store_what_was_refused(ledger: Ledger, truth: Truth) -> None:
    truth.messages.append(stored(6, "c6"))


def acknowledge_before_the_commit(ledger: Ledger, truth: Truth) -> None:
    ledger.sends["c7"] = Send("ana", CHAT, "c7", 1, 7, "ok", 6)


def acknowledge_another_number(ledger: Ledger, truth: Truth) -> None:
    ledger.sends["c5"].seq = 4


def swap_two(ledger: Ledger, truth: Truth) -> None:
    for one, other in ((1, 2), (2, 1)):
        truth.messages[one] = stored(one + 1, f"c{other + 1}")
        ledger.sends[f"c{other + 1}"].seq = one + 1


def give_a_version_twice(ledger: Ledger, truth: Truth) -> None:
    truth.messages[1].held = truth.messages[1].held._replace(version=3)


def tell_after_the_removal(ledger: Ledger, truth: Truth) -> None:
    ledger.books["ben"].events.append(Event(1, CHAT, 3, "message.created", at=3))


def skip_an_event(ledger: Ledger, truth: Truth) -> None:
    ledger.books["ana"].holes.append("chat went from 3 to 5")


def answer_a_former_member(ledger: Ledger, truth: Truth) -> None:
    ledger.answered_reads.append("ben read chat")


def leave_somebody_behind(ledger: Ledger, truth: Truth) -> None:
    ledger.books["ben"].known[CHAT].pop(4)


def miss_an_edit(ledger: Ledger, truth: Truth) -> None:
    truth.messages[1].held = Held(5, "c2", "hi there")


def leave_a_version_behind(ledger: Ledger, truth: Truth) -> None:
    ledger.books["ben"].versions[CHAT] = 4


@pytest.mark.parametrize(
    ("mutate", "kind"),
    [
        (drop_a_message, "lost"),
        (drop_a_message, "holes in history"),
        (drop_the_last, "lost"),
        (store_twice, "doubled"),
        (store_what_was_refused, "refused and stored"),
        (acknowledge_before_the_commit, "lost"),
        (acknowledge_another_number, "lost"),
        (swap_two, "reordered"),
        (give_a_version_twice, "holes in history"),
        (tell_after_the_removal, "events after a removal"),
        (skip_an_event, "holes on an open socket"),
        (answer_a_former_member, "answers after a removal"),
        (leave_somebody_behind, "not what the server has"),
        (miss_an_edit, "not what the server has"),
        (leave_a_version_behind, "not what the server has"),
    ],
)
def test_each_thing_that_can_be_wrong_is_found(
    ledger: Ledger, truth: Truth, mutate: Callable[[Ledger, Truth], None], kind: str
):
    before = deepcopy((ledger, truth))
    mutate(ledger, truth)
    assert (ledger, truth) != before
    assert kind in found(ledger, truth)
