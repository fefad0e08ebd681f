"""Groups: making, renaming and deleting them, and one's own settings of a chat."""

from typing import Any

import pytest

from chatproject.testing import Person, error_of
from messaging.models import Message


def history(who: Person, chat: dict[str, Any]) -> list[dict[str, Any]]:
    answer = who.rest.get(f"/chats/{chat['id']}/messages")
    assert answer.status_code == 200
    messages: list[dict[str, Any]] = answer.json()["results"]
    return messages


def change(who: Person, chat: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = who.rest.patch(f"/chats/{chat['id']}", json=changes)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_who_makes_a_group_owns_it(alice: Person, bob: Person, carol: Person):
    chat = alice.group_with(bob, carol, name=" Regatta ⛵ ")
    assert (chat["type"], chat["name"], chat["topic"]) == ("group", "Regatta ⛵", None)
    assert (chat["created_by"], chat["member_count"], chat["peer"]) == (alice.id, 3, None)
    assert chat["me"]["role"] == "owner"
    assert bob.rest.get(f"/chats/{chat['id']}").json()["me"]["role"] == "member"


def test_it_begins_with_a_version_for_each_member_and_its_created_message(
    alice: Person, bob: Person, carol: Person
):
    chat = alice.group_with(bob, carol)
    assert (chat["version"], chat["last_seq"]) == (4, 1)
    [created] = history(bob, chat)
    assert chat["last_message"] == created
    assert (created["seq"], created["version"]) == (1, 4)
    assert (created["message_type"], created["sender"]) == ("system", None)
    assert created["system"] == {
        "kind": "created",
        "actor_id": alice.id,
        "user_ids": [],
        "name": chat["name"],
        "role": None,
    }
    assert created["content"]


def test_members_named_twice_and_oneself_count_once(alice: Person, bob: Person):
    assert alice.group_with(bob, bob, alice)["member_count"] == 2


def test_a_group_may_be_of_one(alice: Person):
    answer = alice.rest.post("/chats", json={"type": "group", "name": "Notes"})
    assert (answer.status_code, answer.json()["member_count"]) == (201, 1)


async def test_all_in_it_hear_of_it_and_of_nothing_before(
    alice: Person, bob: Person, mallory: Person
):
    async with alice.socket() as one, bob.socket() as two, mallory.socket() as stranger:
        chat = alice.group_with(bob)
        assert (await one.event("chat.created"))["chat"] == chat
        assert (await two.event("chat.created"))["chat"]["version"] == chat["version"]
        await two.settle()
        await stranger.settle()
        assert two.of_type("member.joined", "message.created") == []
        assert stranger.of_type("chat.created") == []


def test_name_and_topic_are_one_version_and_the_name_has_a_message(
    alice: Person, bob: Person, group: dict[str, Any]
):
    changed = change(alice, group, name=" Sailing ", topic=" On *water* ")
    assert (changed["name"], changed["topic"]) == ("Sailing", "On *water*")
    assert changed["version"] == group["version"] + 2
    renamed = history(bob, group)[-1]
    assert (renamed["seq"], renamed["version"]) == (2, changed["version"])
    assert renamed["system"]["kind"] == "renamed"
    assert (renamed["system"]["actor_id"], renamed["system"]["name"]) == (alice.id, "Sailing")


def test_a_topic_has_no_message_and_can_be_cleared(alice: Person, group: dict[str, Any]):
    assert change(alice, group, topic="t" * 250)["version"] == group["version"] + 1
    assert change(alice, group, topic=None)["topic"] is None
    assert change(alice, group, topic="on water")["topic"] == "on water"
    cleared = change(alice, group, topic=" ")
    assert (cleared["topic"], cleared["version"]) == (None, group["version"] + 4)
    assert len(history(alice, group)) == 1


@pytest.mark.parametrize("same", [{}, {"name": "Regatta weekend"}, {"topic": None}, {"topic": ""}])
async def test_the_same_again_changes_nothing(
    alice: Person, bob: Person, group: dict[str, Any], same: dict[str, Any]
):
    async with bob.socket() as socket:
        assert change(alice, group, **same) == group
        change(alice, group, topic="the premise")
        event = await socket.event("chat.updated")
        assert event["version"] == group["version"] + 1


async def test_a_change_is_told_to_all_in_the_chat_by_rising_version(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    async with bob.socket() as socket, mallory.socket() as stranger:
        changed = change(alice, group, name="Sailing", topic="On water")
        event = await socket.event("chat.updated")
        assert event["version"] == group["version"] + 1
        told = event["chat"]
        assert (told["name"], told["topic"]) == ("Sailing", "On water")
        assert not told.keys() & {"last_message", "me", "peer"}
        line = await socket.event("message.created")
        assert line["version"] == changed["version"]
        await stranger.settle()
        assert stranger.of_type("chat.updated", "message.created") == []


# Deleting


async def test_a_deleted_group_is_gone_for_all(alice: Person, bob: Person, group: dict[str, Any]):
    message = alice.says(group, f"hello @{bob.username}")
    here = f"/chats/{group['id']}"
    bob.rest.put(f"{here}/messages/{message['id']}/reactions/👍")
    async with bob.socket() as socket, alice.socket() as own:
        answer = alice.rest.delete(here)
        assert (answer.status_code, answer.content) == (204, b"")
        await socket.event("chat.removed", chat_id=group["id"])
        await own.event("chat.removed", chat_id=group["id"])
    for who in (alice, bob):
        error_of(who.rest.get(here), 404)
        assert who.rest.get("/chats").json()["results"] == []
    error_of(alice.rest.delete(here), 404)
    assert not Message.objects.filter(id=message["id"]).exists()


# One's own settings


@pytest.mark.parametrize(
    "own",
    [
        {"notify": "none"},
        {"notify": "mentions", "pinned": True},
        {"muted_until": "2026-11-22T09:30:00.123456Z"},
        {"muted_until": None},
        {},
    ],
)
def test_ones_own_settings_are_ones_own(
    alice: Person, bob: Person, group: dict[str, Any], own: dict[str, Any]
):
    before = bob.rest.get(f"/chats/{group['id']}").json()
    changed = change(bob, group, me=own)
    assert changed == {**before, "me": {**before["me"], **own}}
    assert bob.rest.get(f"/chats/{group['id']}").json() == changed
    assert alice.rest.get(f"/chats/{group['id']}").json() == group


def test_a_time_of_another_zone_is_kept_as_utc(alice: Person, group: dict[str, Any]):
    changed = change(alice, group, me={"muted_until": "2026-11-22T10:30:00+01:00"})
    assert changed["me"]["muted_until"] == "2026-11-22T09:30:00.000000Z"


async def test_ones_own_settings_are_told_to_ones_own_sockets_alone(
    alice: Person, bob: Person, group: dict[str, Any]
):
    async with bob.socket() as own, alice.socket() as other:
        change(bob, group, me={"pinned": True})
        event = await own.event("me.updated", chat_id=group["id"])
        assert event["me"]["pinned"] is True
        await other.settle()
        assert other.of_type("me.updated", "chat.updated") == []


def test_of_what_one_may_and_what_one_may_not_together_nothing_is_done(
    bob: Person, group: dict[str, Any]
):
    before = bob.rest.get(f"/chats/{group['id']}").json()
    body = {"name": "Bob's", "me": {"pinned": True}}
    error_of(bob.rest.patch(f"/chats/{group['id']}", json=body), 403)
    assert bob.rest.get(f"/chats/{group['id']}").json() == before
