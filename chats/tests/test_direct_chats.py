"""Chats of two: one a pair, for good."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from chatproject.testing import Person
from chats.models import Chat, pair_of


def ask(who: Person, *members: Any, **more: Any) -> httpx.Response:
    return who.rest.post("/chats", json={"type": "direct", "members": [*members], **more})


def test_a_direct_chat_shows_each_the_other(alice: Person, bob: Person):
    answer = ask(alice, bob.id)
    assert answer.status_code == 201
    chat = answer.json()
    assert chat["peer"]["id"] == bob.id
    assert (chat["type"], chat["name"], chat["topic"]) == ("direct", None, None)
    assert (chat["member_count"], chat["created_by"]) == (2, alice.id)
    assert chat["last_message"] is None
    assert chat["me"]["role"] == "member"
    theirs = bob.rest.get(f"/chats/{chat['id']}").json()
    assert theirs["peer"]["id"] == alice.id
    assert theirs["me"]["role"] == "member"


def test_it_begins_with_a_version_for_each_of_the_two_and_without_a_message(
    alice: Person, bob: Person
):
    chat = ask(alice, bob.id).json()
    assert (chat["version"], chat["last_seq"]) == (2, 0)
    assert alice.says(chat, "Ahoy")["seq"] == 1


def test_the_pair_has_one_chat_whoever_asks(alice: Person, bob: Person):
    first = ask(alice, bob.id)
    again = [ask(alice, bob.id), ask(bob, alice.id), ask(alice, bob.id, name="ignored")]
    assert first.status_code == 201
    assert [answer.status_code for answer in again] == [200] * 3
    assert {answer.json()["id"] for answer in again} == {first.json()["id"]}


def test_24_at_once_get_one_chat(alice: Person, bob: Person):
    pairs = [(alice, bob), (bob, alice)] * 12
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda pair: ask(pair[0], pair[1].id), pairs))
    assert sorted(answer.status_code for answer in answers) == [200] * 23 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Chat.objects.filter(pair=pair_of(alice.user.id, bob.user.id)).count() == 1


def test_other_pairs_have_other_chats(alice: Person, bob: Person, carol: Person):
    ids = {ask(alice, bob.id).json()["id"], ask(alice, carol.id).json()["id"]}
    ids.add(ask(bob, carol.id).json()["id"])
    assert len(ids) == 3


def test_a_group_of_the_two_is_another_chat(alice: Person, bob: Person):
    assert alice.group_with(bob)["id"] != ask(alice, bob.id).json()["id"]


async def test_both_hear_of_it_at_once_and_strangers_do_not(
    alice: Person, bob: Person, mallory: Person
):
    async with alice.socket() as one, bob.socket() as two, mallory.socket() as stranger:
        chat = ask(alice, bob.id).json()
        own = (await one.event("chat.created"))["chat"]
        assert (own["id"], own["peer"]["id"]) == (chat["id"], bob.id)
        theirs = (await two.event("chat.created"))["chat"]
        assert (theirs["id"], theirs["peer"]["id"]) == (chat["id"], alice.id)
        alice.says(chat, "Ahoy")
        assert (await two.event("message.created"))["version"] == theirs["version"] + 1
        await stranger.settle()
        assert stranger.of_type("chat.created", "message.created") == []


def test_ones_own_settings_of_it_can_change(alice: Person, bob: Person):
    chat = ask(alice, bob.id).json()
    answer = alice.rest.patch(f"/chats/{chat['id']}", json={"me": {"pinned": True}})
    assert answer.json()["me"]["pinned"] is True
    assert bob.rest.get(f"/chats/{chat['id']}").json()["me"]["pinned"] is False
