"""Editing one's own messages, through both doors."""

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


def test_an_edit_changes_text_and_version_and_nothing_else(
    alice: Person, bob: Person, group: dict[str, Any]
):
    message = bob.says(group, "helo", client_id="c")
    alice.says(group, "between")
    answer = bob.rest.patch(_path(message), json={"content": " *hello* "})
    assert answer.status_code == 200
    edited = answer.json()
    assert edited == {
        **message,
        "content": "*hello*",
        "html": '<p dir="auto"><em>hello</em></p>',
        "version": message["version"] + 2,
        "edited_at": edited["edited_at"],
    }
    assert edited["edited_at"] > message["created_at"]
    assert _stored(alice, message) == edited


async def test_an_edit_over_the_socket_answers_with_the_message(
    alice: Person, group: dict[str, Any]
):
    message = alice.says(group, "a")
    async with alice.socket() as socket:
        answer = await socket.ask("message.edit", **_where(message), content="b")
        assert answer["type"] == "ok"
        assert answer["message"]["content"] == "b"
        assert answer["message"] == _stored(alice, message)


def test_the_same_content_again_changes_nothing(alice: Person, group: dict[str, Any]):
    message = alice.says(group, "same")
    answer = alice.rest.patch(_path(message), json={"content": " same\n"})
    assert answer.status_code == 200
    assert answer.json() == message
    assert alice.rest.get(f"/chats/{group['id']}").json()["version"] == message["version"]


async def test_for_a_stranger_and_for_who_left_there_is_no_message(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    message = bob.says(group, "mine")
    assert bob.rest.patch(_path(message), json={"content": "premise"}).status_code == 200
    bob.rest.delete(f"/chats/{group['id']}/members/{bob.id}")
    for who in (bob, mallory):
        answer = who.rest.patch(_path(message), json={"content": "x"})
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["code"] == "not_found"
        async with who.socket() as socket:
            frame = await socket.ask("message.edit", **_where(message), content="x")
            assert frame["errors"] == answer.json()["errors"]
    assert _stored(alice, message)["content"] == "premise"


def test_an_edit_keeps_reply_and_reactions(alice: Person, bob: Person, group: dict[str, Any]):
    first = bob.says(group, "first")
    reply = alice.says(group, "second", reply_to=first["id"])
    bob.rest.put(f"{_path(reply)}/reactions/👍")
    edited = alice.rest.patch(_path(reply), json={"content": "2nd"}).json()
    assert edited["reply_to"] == first["id"]
    assert edited["reactions"] == [{"emoji": "👍", "user_ids": [bob.id]}]
