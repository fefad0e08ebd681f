"""Coming back: what sync answers, and what it costs."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chatproject.ids import new_id
from chatproject.testing import Person, SocketClient
from chats.actions import add_members
from chats.models import Chat, Membership
from messaging.batches import Send, write_batch
from messaging.changes import sync
from messaging.models import Message


def _write(who: Person, chat: dict[str, Any], count: int, content: str = "x") -> None:
    chat_id = UUID(chat["id"])
    for start in range(0, count, 200):
        size = min(200, count - start)
        write_batch([Send(who.user.id, None, chat_id, content) for _ in range(size)])


async def _sync(socket: SocketClient, chats: dict[str, int], **more: Any) -> dict[str, Any]:
    answer = await socket.ask("sync", chats=chats, **more)
    assert answer["type"] == "ok", answer
    assert set(answer) >= {"epoch", "chats", "changes", "gone"}
    return answer


async def test_what_is_up_to_date_is_not_in_the_answer(
    alice: Person, bob: Person, group: dict[str, Any]
):
    other = alice.direct_chat_with(bob)
    bob.says(other, "news")
    async with alice.socket() as socket:
        known = {group["id"]: group["version"], other["id"]: other["version"]}
        answer = await _sync(socket, known, epoch=socket.hello["epoch"])
        assert answer["epoch"] == socket.hello["epoch"]
        assert [one["id"] for one in answer["chats"]] == [other["id"], group["id"]]
        assert [one["chat_id"] for one in answer["changes"]] == [other["id"]]
        assert [one["content"] for one in answer["changes"][0]["messages"]] == ["news"]
        assert answer["gone"] == []
        listed = alice.rest.get("/chats").json()["results"]
        assert [one["id"] for one in answer["chats"]] == [one["id"] for one in listed]


async def test_chats_that_are_no_longer_ones_own_are_gone(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    deleted, foreign = bob.group_with(alice), alice.group_with(mallory)
    never = str(new_id())
    known = {group["id"]: 1, deleted["id"]: 1, foreign["id"]: 1, never: 1}
    async with bob.socket() as socket:
        assert (await _sync(socket, {group["id"]: 1}))["gone"] == []
        bob.rest.delete(f"/chats/{group['id']}/members/{bob.id}")
        bob.rest.delete(f"/chats/{deleted['id']}")
        answer = await _sync(socket, known)
        assert sorted(answer["gone"]) == sorted(known)
        assert answer["changes"] == []
        assert foreign["id"] not in str({**answer, "gone": []})


async def test_over_five_hundred_messages_the_answer_is_not_complete(
    alice: Person, bob: Person, group: dict[str, Any]
):
    _write(bob, group, 500)
    async with alice.socket() as socket:
        for since, complete in ((group["version"], True), (group["version"] - 1, False)):
            (change,) = (await _sync(socket, {group["id"]: since}))["changes"]
            path = f"/chats/{group['id']}/changes"
            by_rest = alice.rest.get(path, params={"since": since}).json()
            assert by_rest["chat"]["id"] == group["id"]
            for found in (change, by_rest):
                assert found["complete"] is complete
                assert len(found["messages"]) == (500 if complete else 0)
                assert found["version"] == group["version"] + 500


async def test_five_hundred_are_for_all_chats_together(alice: Person, bob: Person):
    chats = [alice.group_with(bob) for _ in range(3)]
    for chat in chats:
        _write(bob, chat, 200)
    async with alice.socket() as socket:
        answer = await _sync(socket, {one["id"]: one["version"] for one in chats})
    assert sorted(one["complete"] for one in answer["changes"]) == [False, True, True]
    assert sum(len(one["messages"]) for one in answer["changes"]) == 400


def test_what_is_too_much_of_one_chat_leaves_room_for_the_others(alice: Person, bob: Person):
    busy, calm = alice.group_with(bob), alice.group_with(bob)
    _write(bob, busy, 501)
    message = bob.says(calm, "news")
    _change_often(message, 600)
    named = {UUID(one["id"]): one["version"] for one in (busy, calm)}
    told = {one["chat_id"]: one for one in sync_of(alice, named)["changes"]}
    assert told[busy["id"]]["complete"] is False
    assert told[calm["id"]]["complete"] is True
    assert told[calm["id"]]["version"] == calm["version"] + 601
    assert [one["id"] for one in told[calm["id"]]["messages"]] == [message["id"]]


def _change_often(message: dict[str, Any], times: int) -> None:
    """Leaves the rows as so many reactions, given and taken back, would."""
    Message.objects.filter(id=message["id"]).update(version=message["version"] + times)
    Chat.objects.filter(id=message["chat_id"]).update(version=message["version"] + times)


def sync_of(who: Person, known: dict[UUID, int]) -> dict[str, Any]:
    return sync(who.user, epoch="same", known_epoch="same", known=known)


def test_the_number_of_queries_does_not_grow_with_the_chats(
    alice: Person, bob: Person, carol: Person
):
    assert queries_for(alice, [bob, carol], chats=2) == queries_for(alice, [bob, carol], 12) <= 10


def queries_for(who: Person, others: list[Person], chats: int) -> int:
    """Of a sync that brings a message, a reaction and a member of each chat."""
    made = [who.group_with(others[0]) for _ in range(chats)]
    for chat in made:
        message = others[0].says(chat, f"hello @{who.username}")
        path = f"/chats/{chat['id']}"
        who.rest.put(f"{path}/messages/{message['id']}/reactions/👍")
        who.rest.post(f"{path}/members", json={"user_ids": [others[1].id]})
    with CaptureQueriesContext(connection) as captured:
        told = sync_of(who, {UUID(chat["id"]): chat["version"] for chat in made})["changes"]
    assert [len(one["messages"]) for one in told] == [2] * chats
    assert [len(one["members"]) for one in told] == [1] * chats
    return len(captured)


async def test_an_answer_has_no_more_than_512_kilobytes_of_changes(
    alice: Person, bob: Person, group: dict[str, Any]
):
    other = alice.group_with(bob)
    _write(bob, group, 60, "é" * 10_000)
    _write(bob, other, 1)
    async with alice.socket() as socket:
        known = {one["id"]: one["version"] for one in (group, other)}
        answer = await _sync(socket, known)
    complete = {one["chat_id"]: one["complete"] for one in answer["changes"]}
    assert complete == {group["id"]: False, other["id"]: True}


async def test_another_epoch_or_a_version_ahead_starts_anew(
    alice: Person, bob: Person, group: dict[str, Any]
):
    other = alice.direct_chat_with(bob)
    known = {group["id"]: group["version"], other["id"]: other["version"] - 1}
    async with alice.socket() as socket:
        answer = await _sync(socket, known, epoch=str(new_id()))
        assert {one["chat_id"] for one in answer["changes"]} == set(known)
        assert not any(one["complete"] for one in answer["changes"])
        (ahead,) = (await _sync(socket, {group["id"]: group["version"] + 1}))["changes"]
        assert ahead["complete"] is False
        assert ahead["messages"] == ahead["members"] == []
        assert ahead["version"] == group["version"]
    path = f"/chats/{group['id']}/changes?since={group['version'] + 1}"
    assert alice.rest.get(path).json()["complete"] is False


async def test_the_two_hundred_latest_chats_are_told_and_that_there_are_more(alice: Person):
    def join(count: int) -> None:
        chats = Chat.objects.bulk_create(
            Chat(type="group", name=f"Group {number}", version=1) for number in range(count)
        )
        Membership.objects.bulk_create(
            Membership(chat=chat, user=alice.user, version=1) for chat in chats
        )

    join(200)
    async with alice.socket() as socket:
        answer = await _sync(socket, {})
        assert (len(answer["chats"]), bool(answer.get("more"))) == (200, False)
        join(1)
        answer = await _sync(socket, {})
        assert (len(answer["chats"]), answer["more"]) == (200, True)


def test_changes_name_who_left_too(alice: Person, bob: Person, group: dict[str, Any]):
    bob.rest.delete(f"/chats/{group['id']}/members/{bob.id}")
    path = f"/chats/{group['id']}/changes"
    found = alice.rest.get(path, params={"since": group["version"]}).json()
    assert [one["user"]["id"] for one in found["members"]] == [bob.id]
    assert found["members"][0]["left_at"]
    assert found["messages"][0]["system"]["kind"] == "left"
    assert found["version"] == found["chat"]["version"] == group["version"] + 2


async def test_three_hundred_messages_and_three_hundred_members_fit_into_one_answer(
    alice: Person, bob: Person
):
    talk, crowd = alice.group_with(bob), alice.group_with(bob)
    _write(alice, talk, 300)
    people = User.objects.bulk_create(
        User(username=f"crowd-{alice.username}-{number}", email=f"{number}@{alice.username}")
        for number in range(300)
    )
    add_members(actor=alice.user, chat=Chat.objects.get(id=crowd["id"]), users=people)
    async with bob.socket() as socket:
        known = {chat["id"]: chat["version"] for chat in (talk, crowd)}
        answer = await socket.ask("sync", chats=known)
    assert [change["complete"] for change in answer["changes"]] == [True, True]
