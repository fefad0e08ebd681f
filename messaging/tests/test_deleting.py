"""Deleting messages: a tombstone stays."""

from typing import Any

from chatproject.testing import Person


def _path(message: dict[str, Any]) -> str:
    return f"/chats/{message['chat_id']}/messages/{message['id']}"


def _where(message: dict[str, Any]) -> dict[str, str]:
    return {"chat_id": message["chat_id"], "message_id": message["id"]}


def _stored(who: Person, message: dict[str, Any]) -> dict[str, Any]:
    path = f"/chats/{message['chat_id']}/messages"
    found: list[dict[str, Any]] = who.rest.get(path, params={"limit": 200}).json()["results"]
    return next(one for one in found if one["id"] == message["id"])


def test_a_tombstone_keeps_its_place_and_nothing_of_what_was_said(
    alice: Person, bob: Person, group: dict[str, Any]
):
    first = bob.says(group, "first")
    message = alice.says(group, f"@{bob.username} look", reply_to=first["id"], client_id="c")
    bob.rest.put(f"{_path(message)}/reactions/👍")
    assert _stored(bob, message)["mentions"] == [bob.id]
    answer = alice.rest.delete(_path(message))
    assert (answer.status_code, answer.content) == (204, b"")
    stone = _stored(bob, message)
    assert stone == {
        **message,
        "content": "",
        "html": "",
        "reactions": [],
        "mentions": [],
        "attachments": [],
        "reply_to": first["id"],
        "version": message["version"] + 2,
        "deleted_at": stone["deleted_at"],
    }
    assert stone["deleted_at"] > message["created_at"]


async def test_a_deletion_over_the_socket_answers_with_the_tombstone(
    alice: Person, group: dict[str, Any]
):
    message = alice.says(group, "a")
    async with alice.socket() as socket:
        answer = await socket.ask("message.delete", **_where(message))
        assert answer["type"] == "ok"
        assert answer["message"] == _stored(alice, message)
        assert answer["message"]["deleted_at"]


async def test_deleting_again_is_harmless(alice: Person, group: dict[str, Any]):
    message = alice.says(group, "a")
    assert alice.rest.delete(_path(message)).status_code == 204
    stone = _stored(alice, message)
    assert alice.rest.delete(_path(message)).status_code == 204
    async with alice.socket() as socket:
        assert (await socket.ask("message.delete", **_where(message)))["message"] == stone
    assert _stored(alice, message) == stone
    assert alice.rest.get(f"/chats/{group['id']}").json()["version"] == stone["version"]


def test_an_admin_may_delete_what_anybody_wrote_a_member_only_their_own(
    alice: Person, bob: Person, carol: Person
):
    chat = alice.group_with(bob, carol)
    by_owner, by_bob = alice.says(chat, "owner's"), bob.says(chat, "Bob's")
    assert carol.rest.delete(_path(by_bob)).status_code == 403
    path = f"/chats/{chat['id']}/members/{carol.id}"
    assert alice.rest.patch(path, json={"role": "admin"}).status_code == 200
    assert bob.rest.delete(_path(by_owner)).status_code == 403
    assert _stored(bob, by_owner) == by_owner
    for message in (by_bob, by_owner):
        assert carol.rest.delete(_path(message)).status_code == 204
        assert _stored(bob, message)["deleted_at"]


def test_in_a_direct_chat_one_deletes_only_ones_own(alice: Person, bob: Person):
    chat = alice.direct_chat_with(bob)
    message = alice.says(chat, "hi")
    assert bob.rest.delete(_path(message)).status_code == 403
    assert alice.rest.delete(_path(message)).status_code == 204


def test_what_is_deleted_is_no_longer_last_nor_unread(
    alice: Person, bob: Person, group: dict[str, Any]
):
    def seen_by_bob() -> tuple[Any, ...]:
        chat = bob.rest.get(f"/chats/{group['id']}").json()
        me = chat["me"]
        return chat["last_message"]["content"], me["unread_count"], me["mention_count"]

    alice.says(group, "kept")
    message = alice.says(group, f"for @{bob.username}")
    assert seen_by_bob() == (message["content"], 2, 1)
    alice.rest.delete(_path(message))
    assert seen_by_bob() == ("kept", 1, 0)


def test_what_was_edited_and_then_deleted_shows_no_text(alice: Person, group: dict[str, Any]):
    message = alice.says(group, "secret one")
    alice.rest.patch(_path(message), json={"content": "secret two"})
    alice.rest.delete(_path(message))
    assert "secret" not in alice.rest.get(f"/chats/{group['id']}/messages").text
    assert "secret" not in alice.rest.get(f"/chats/{group['id']}/changes?since=0").text
