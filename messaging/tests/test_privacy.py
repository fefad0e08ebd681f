"""What others are not told of those who do not want it: presence, how far they read, typing."""

from typing import Any

import pytest

from accounts.preferences import Preferences, preferences_of
from chatproject.testing import Person


def chooses(who: Person, **settings: Any) -> None:
    answer = who.rest.patch("/users/me", json={"settings": settings})
    assert answer.status_code == 200, answer.text


def seen(who: Person, by: Person) -> tuple[bool, str | None]:
    user = by.rest.get(f"/users/{who.id}").json()
    return user["is_online"], user["last_seen"]


def mark_of(who: Person, chat: dict[str, Any], by: Person) -> int | None:
    members = by.rest.get(f"/chats/{chat['id']}/members").json()["results"]
    (mark,) = [one["last_read_seq"] for one in members if one["user"]["id"] == who.id]
    assert mark is None or isinstance(mark, int)
    return mark


@pytest.mark.parametrize(
    "settings",
    [
        {},
        [],
        None,
        "dark",
        {"theme": 7, "density": ["compact"], "text_size": {}, "announces": None},
        {"shows_online": 0, "shows_read": "no", "enter_sends": None, "opens_at_newest": 1},
        {"_fields": True, "index": True, "another page's": {"theme": "dark"}},
    ],
)
def test_settings_that_are_not_understood_are_as_if_they_were_not_there(settings: Any):
    class Somebody:
        pass

    somebody = Somebody()
    somebody.settings = settings  # type: ignore[attr-defined]
    assert preferences_of(somebody) == Preferences()


async def test_who_hides_is_offline_to_all_at_once_and_comes_and_goes_unheard(
    alice: Person, bob: Person, carol: Person
):
    async with bob.socket() as watcher:
        await watcher.ask("presence.watch", user_ids=[alice.id, carol.id])
        async with alice.socket():
            await watcher.event("presence", user_id=alice.id, is_online=True)
            assert seen(alice, by=bob)[0] is True
            chooses(alice, shows_online=False)
            event = await watcher.event("presence", user_id=alice.id)
            assert (event["is_online"], event["last_seen"]) == (False, None)
            assert seen(alice, by=bob) == seen(alice, by=alice) == (False, None)
            answer = await watcher.ask("presence.watch", user_ids=[alice.id, carol.id])
            hidden = {"user_id": alice.id, "is_online": False, "last_seen": None}
            assert hidden in answer["users"]
        await watcher.settle(4)
        async with alice.socket(), carol.socket():
            await watcher.event("presence", user_id=carol.id, is_online=True)
            await watcher.settle()
        assert len([one for one in watcher.of_type("presence") if one["user_id"] == alice.id]) == 2


async def test_who_shows_themselves_again_is_seen_at_once(alice: Person, bob: Person):
    chooses(alice, shows_online=False)
    async with bob.socket() as watcher, alice.socket():
        await watcher.ask("presence.watch", user_ids=[alice.id])
        chooses(alice, shows_online=True)
        event = await watcher.event("presence", user_id=alice.id)
        assert event["is_online"] is True
        assert event["last_seen"]
        assert seen(alice, by=bob) == (True, event["last_seen"])


async def test_who_hides_is_not_among_those_online(alice: Person, bob: Person):
    def online() -> set[str]:
        path = f"/users?online=true&limit=200&search={alice.username[5:]}"
        return {one["id"] for one in bob.rest.get(path).json()["results"]}

    async with alice.socket():
        for settings in ({}, {"shows_online": None}, {"shows_online": "no"}):
            chooses(alice, **settings)
            assert alice.id in online()
        chooses(alice, shows_online=False)
        assert alice.id not in online()


def test_who_hides_is_offline_in_chats_too(alice: Person, bob: Person, group: dict[str, Any]):
    chat = alice.direct_chat_with(bob)
    chooses(alice, shows_online=False)
    peer = bob.rest.get(f"/chats/{chat['id']}").json()["peer"]
    members = bob.rest.get(f"/chats/{group['id']}/members").json()["results"]
    (member,) = [one["user"] for one in members if one["user"]["id"] == alice.id]
    for user in (peer, member):
        assert (user["is_online"], user["last_seen"]) == (False, None)


async def test_how_far_somebody_read_is_told_unless_they_hide_it(
    alice: Person, bob: Person, group: dict[str, Any]
):
    bob.says(group, "one")
    last = bob.says(group, "two")["seq"]
    async with alice.socket() as own, bob.socket() as other:
        await own.ask("read", chat_id=group["id"], seq=last - 1)
        await other.event("read", user_id=alice.id)
        assert mark_of(alice, group, by=bob) == last - 1
        chooses(alice, shows_read=False)
        answer = await own.ask("read", chat_id=group["id"], seq=last)
        assert answer["me"]["last_read_seq"] == last
        assert alice.rest.get(f"/chats/{group['id']}").json()["me"]["last_read_seq"] == last
        await other.settle()
        assert len(other.of_type("read")) == 1
        assert mark_of(alice, group, by=bob) is None
        assert mark_of(bob, group, by=bob) is not None


async def test_what_changes_of_a_member_does_not_tell_how_far_they_read(
    alice: Person, bob: Person, group: dict[str, Any]
):
    chooses(bob, shows_read=False)
    path = f"/chats/{group['id']}/members/{bob.id}"
    async with alice.socket() as socket:
        assert alice.rest.patch(path, json={"role": "admin"}).status_code == 200
        event = await socket.event("member.updated")
        assert event["member"]["last_read_seq"] is None
    since = f"/chats/{group['id']}/changes?since={group['version']}"
    (member,) = alice.rest.get(since).json()["members"]
    assert (member["role"], member["last_read_seq"]) == ("admin", None)


async def test_typing_is_told_unless_it_is_hidden(
    alice: Person, bob: Person, carol: Person, group: dict[str, Any]
):
    path = f"/chats/{group['id']}/members"
    alice.rest.post(path, json={"user_ids": [carol.id]})
    chooses(alice, shows_typing=False)
    async with alice.socket() as hidden, carol.socket() as shown, bob.socket() as other:
        assert (await hidden.ask("typing", chat_id=group["id"]))["type"] == "ok"
        await shown.ask("typing", chat_id=group["id"])
        await other.event("typing", user_id=carol.id)
        await other.settle()
        assert [one["user_id"] for one in other.of_type("typing")] == [carol.id]
