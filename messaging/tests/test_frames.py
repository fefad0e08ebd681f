"""Bad frames get their error, change nothing, and the socket stays open."""

import json
from typing import Any

import pytest

from chatproject.ids import new_id
from chatproject.testing import Person, SocketClient


def _is_error(frame: dict[str, Any]) -> bool:
    assert set(frame) <= {"type", "ref", "errors"}
    for entry in frame["errors"]:
        assert {"code", "detail", "attr"} <= set(entry)
        assert isinstance(entry["code"], str)
        assert isinstance(entry["detail"], str)
    return frame["type"] == "error" and len(frame["errors"]) > 0


async def _answer_to(socket: SocketClient, text: str) -> dict[str, Any]:
    """The one answer to a frame; after it, the socket is still open."""
    await socket.send_as_is(text)
    before = len(socket.of_type("error"))
    assert (await socket.ask("ping"))["type"] == "ok"
    (answer,) = socket.of_type("error")[before:]
    assert _is_error(answer)
    return answer


def _nested(ref: str, depth: int) -> str:
    lists = "[" * (depth - 1) + "]" * (depth - 1)
    return f'{{"type": "ping", "ref": "{ref}", "x": {lists}}}'


NO_USABLE_REF = [
    "",
    " ",
    "{",
    "nothing",
    "[]",
    "null",
    "7",
    '"ping"',
    '[{"type": "ping", "ref": "a"}]',
    '{"type": "ping", "ref": 7}',
    '{"type": "ping", "ref": ""}',
    '{"type": "ping", "ref": true}',
    '{"type": "ping", "ref": ["a"]}',
    json.dumps({"type": "ping", "ref": "r" * 65}),
    '{"type": "ping", "ref": "a", "x": NaN}',
    '{"type": "ping", "ref": "\\ud800"}',
    "{'type': 'ping', 'ref': 'a'}",
    '{"type": "nonsense"}',
    '{"ref": null}',
    "[" * 60_000,
    '{"a":' * 10_000,
]


@pytest.mark.parametrize("text", NO_USABLE_REF, ids=lambda text: text[:40] or "empty")
async def test_a_frame_without_a_usable_ref_gets_an_error_without_one(alice: Person, text: str):
    async with alice.socket() as socket:
        answer = await _answer_to(socket, text)
        assert "ref" not in answer


WITH_REF = [
    ("type", '{"ref": "r"}'),
    ("type", '{"ref": "r", "type": null}'),
    ("type", '{"ref": "r", "type": 7}'),
    ("type", '{"ref": "r", "type": "nonsense"}'),
    ("type", '{"ref": "r", "type": "hello"}'),
    ("type", '{"ref": "r", "type": "__class__"}'),
    ("type", '{"ref": "r", "type": {"a": 1}}'),
    ("type", '{"ref": "r", "type": "Ping"}'),
    ("chat_id", '{"ref": "r", "type": "typing"}'),
    ("chat_id", '{"ref": "r", "type": "typing", "chat_id": null}'),
    ("chat_id", '{"ref": "r", "type": "typing", "chat_id": 7}'),
    ("chat_id", '{"ref": "r", "type": "typing", "chat_id": "x"}'),
    ("chat_id", '{"ref": "r", "type": "message.send", "content": "x"}'),
    ("content", '{"ref": "r", "type": "message.send", "chat_id": "CHAT"}'),
    ("message_id", '{"ref": "r", "type": "message.edit", "chat_id": "CHAT", "content": "x"}'),
    ("message_id", '{"ref": "r", "type": "message.delete", "chat_id": "CHAT"}'),
    ("message_id", '{"ref": "r", "type": "reaction.add", "chat_id": "CHAT", "emoji": "👍"}'),
    ("message_id", '{"ref": "r", "type": "reaction.remove", "chat_id": "CHAT", "emoji": "👍"}'),
    ("seq", '{"ref": "r", "type": "read", "chat_id": "CHAT"}'),
    ("seq", '{"ref": "r", "type": "read", "chat_id": "CHAT", "seq": -1}'),
    ("seq", '{"ref": "r", "type": "read", "chat_id": "CHAT", "seq": "1"}'),
    ("seq", '{"ref": "r", "type": "read", "chat_id": "CHAT", "seq": 1.0}'),
    ("seq", '{"ref": "r", "type": "read", "chat_id": "CHAT", "seq": true}'),
    ("seq", '{"ref": "r", "type": "read", "chat_id": "CHAT", "seq": 9007199254740992}'),
    ("seq", '{"ref": "r", "type": "unread", "chat_id": "CHAT", "seq": 0}'),
    ("user_ids", '{"ref": "r", "type": "presence.watch"}'),
    ("user_ids", '{"ref": "r", "type": "presence.watch", "user_ids": "me"}'),
    ("user_ids", '{"ref": "r", "type": "presence.watch", "user_ids": [7]}'),
    ("user_ids", '{"ref": "r", "type": "presence.watch", "user_ids": {"a": 1}}'),
    ("chats", '{"ref": "r", "type": "sync"}'),
    ("chats", '{"ref": "r", "type": "sync", "chats": []}'),
    ("chats", '{"ref": "r", "type": "sync", "chats": {"x": 1}}'),
    ("chats", '{"ref": "r", "type": "sync", "chats": {"CHAT": -1}}'),
    ("chats", '{"ref": "r", "type": "sync", "chats": {"CHAT": "1"}}'),
    ("chats", '{"ref": "r", "type": "sync", "chats": {"CHAT": true}}'),
    ("epoch", '{"ref": "r", "type": "sync", "chats": {}, "epoch": 7}'),
    ("token", '{"ref": "r", "type": "auth"}'),
    ("token", '{"ref": "r", "type": "auth", "token": 7}'),
    ("x", '{"ref": "r", "type": "ping", "x": "\\ud800"}'),
    ("x", '{"ref": "r", "type": "ping", "x": [{"\\ud800": 1}]}'),
    ("x", '{"ref": "r", "type": "ping", "x": [9007199254740993]}'),
    ("x", '{"ref": "r", "type": "ping", "x": 1e400}'),
    ("content", '{"ref": "r", "type": "message.send", "chat_id": "CHAT", "content": "\\ud800"}'),
]


@pytest.mark.parametrize(("attr", "text"), WITH_REF)
async def test_a_bad_field_is_named_in_the_answer_to_its_ref(
    alice: Person, group: dict[str, Any], attr: str, text: str
):
    async with alice.socket() as socket:
        answer = await _answer_to(socket, text.replace("CHAT", group["id"]))
        assert answer["ref"] == "r"
        attrs = [(entry["attr"] or "").split(".")[0] for entry in answer["errors"]]
        assert attrs == [attr]
        assert len(socket.frames) == 3  # hello, the error, the pong
    now = alice.rest.get(f"/chats/{group['id']}").json()
    assert now == group


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**64, 10**30])
async def test_numbers_beyond_53_bits_are_refused(
    alice: Person, group: dict[str, Any], number: int
):
    async with alice.socket() as socket:
        text = json.dumps({"type": "read", "ref": "r", "chat_id": group["id"], "seq": number})
        answer = await _answer_to(socket, text)
        assert (answer["ref"], answer["errors"][0]["attr"]) == ("r", "seq")


async def test_json_deeper_than_sixteen_is_refused(alice: Person):
    async with alice.socket() as socket:
        await socket.send_as_is(_nested("fits", 16))
        assert (await socket.event("ok"))["ref"] == "fits"
        answer = await _answer_to(socket, _nested("r", 17))
        assert answer["ref"] == "r"


async def test_too_many_to_watch_are_refused(alice: Person):
    async with alice.socket() as socket:
        assert _is_error(await socket.ask("presence.watch", user_ids=[alice.id] * 501))
        assert (await socket.ask("presence.watch", user_ids=[alice.id] * 500))["type"] == "ok"


async def test_watching_somebody_unknown_is_refused(alice: Person):
    async with alice.socket() as socket:
        answer = await socket.ask("presence.watch", user_ids=[alice.id, str(new_id())])
        assert answer["errors"][0]["code"] == "does_not_exist"
        assert answer["errors"][0]["attr"] == "user_ids"


async def test_an_unknown_field_is_ignored(alice: Person):
    async with alice.socket() as socket:
        assert (await socket.ask("ping", nonsense={"a": [1, None]}))["type"] == "ok"


async def test_a_frame_without_ref_gets_no_ok(alice: Person, group: dict[str, Any]):
    async with alice.socket() as socket:
        await socket.send("ping")
        await socket.send("message.send", chat_id=group["id"], content="quiet")
        await socket.event("message.created")
        assert (await socket.ask("ping", ref_="x"))["type"] == "ok"
        assert len(socket.of_type("ok")) == 1


async def test_a_ref_of_64_characters_comes_back_as_it_was(alice: Person):
    async with alice.socket() as socket:
        ref = " é🎉\t" * 16
        await socket.send("ping", ref=ref)
        assert await socket.event("ok") == {"type": "ok", "ref": ref}


async def test_a_binary_frame_closes_with_1003(alice: Person):
    async with alice.socket() as socket:
        await socket.send_as_is(b'{"type": "ping"}')
        assert await socket.close_code() == 1003


def _ping_of(size: int) -> str:
    empty = json.dumps({"type": "ping", "ref": "r", "padding": ""})
    return json.dumps({"type": "ping", "ref": "r", "padding": "x" * (size - len(empty))})


async def test_a_frame_of_64_kilobytes_fits_and_one_more_byte_closes_with_1009(alice: Person):
    async with alice.socket() as socket:
        await socket.send_as_is(_ping_of(65_536))
        assert (await socket.event("ok"))["ref"] == "r"
        await socket.send_as_is(_ping_of(65_537))
        assert await socket.close_code() == 1009


async def test_what_counts_is_bytes_not_characters(alice: Person):
    async with alice.socket() as socket:
        padding = "é" * 33_000
        await socket.send_as_is(f'{{"type": "ping", "padding": "{padding}"}}')
        assert await socket.close_code() == 1009


async def test_a_flood_of_bad_frames_is_answered_one_by_one(alice: Person, group: dict[str, Any]):
    async with alice.socket() as socket:
        for number in range(100):
            await socket.send("nonsense", ref=str(number))
        await socket.ask("ping")
        assert [one["ref"] for one in socket.of_type("error")] == [str(n) for n in range(100)]
