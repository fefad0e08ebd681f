"""What frames may be, and which end the socket. Bad ones: see chatproject/tests/bad_input."""

import json
from typing import Any

from chatproject.testing import Person


async def test_what_is_just_within_bounds_is_taken(alice: Person):
    async with alice.socket() as socket:
        assert (await socket.ask("presence.watch", user_ids=[alice.id] * 500))["type"] == "ok"
        deepest = json.loads("[" * 15 + "]" * 15)
        numbers = [2**53, -(2**53), 0.1, 1e-300]
        assert (await socket.ask("ping", x=deepest, numbers=numbers))["type"] == "ok"


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
