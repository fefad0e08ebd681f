"""What others hear: of every change, in which order, and who hears nothing."""

import asyncio
import time
from typing import Any

import pytest

from accounts.models import User
from chatproject.testing import Person, SocketClient, tidily
from chatproject.testing.sockets import NUMBERED


class Scene:
    """Alice's group with Bob as admin and Carol as member; Bob's message bears Bob's 👍."""

    def __init__(self, alice: Person, bob: Person, carol: Person, person: Any) -> None:
        self.alice, self.bob, self.carol, self.person = alice, bob, carol, person
        self.path = f"/chats/{alice.group_with(bob, carol)['id']}"
        self.set_role(bob, "admin")
        self.message = bob.says({"id": self.path[7:]}, "first")
        self.message_path = f"{self.path}/messages/{self.message['id']}"
        self.react(bob, "👍")
        self.chat = self.now()

    def now(self) -> dict[str, Any]:
        chat: dict[str, Any] = self.bob.rest.get(self.path).json()
        return chat

    def set_role(self, who: Person, role: str) -> Any:
        path = f"{self.path}/members/{who.id}"
        return self.alice.rest.patch(path, json={"role": role})

    def react(self, who: Person, emoji: str) -> Any:
        return who.rest.put(f"{self.message_path}/reactions/{emoji}")

    def unreact(self, who: Person, emoji: str) -> Any:
        return who.rest.delete(f"{self.message_path}/reactions/{emoji}")

    def patch(self, **changes: Any) -> Any:
        return self.alice.rest.patch(self.path, json=changes)

    def add(self, *people: Person) -> Any:
        body = {"user_ids": [one.id for one in people]}
        return self.alice.rest.post(f"{self.path}/members", json=body)

    def remove(self, who: Person, by: Person) -> Any:
        return by.rest.delete(f"{self.path}/members/{who.id}")


@pytest.fixture
def scene(alice: Person, bob: Person, carol: Person, person: Any) -> Scene:
    return Scene(alice, bob, carol, person)


BY_REST: dict[str, tuple[Any, list[str]]] = {
    "send": (lambda s: s.alice.says(s.chat, "x"), ["message.created"]),
    "edit": (
        lambda s: s.bob.rest.patch(s.message_path, json={"content": "2nd"}),
        ["message.updated"],
    ),
    "edit, the same": (
        lambda s: s.bob.rest.patch(s.message_path, json={"content": "first"}),
        [],
    ),
    "delete": (lambda s: s.alice.rest.delete(s.message_path), ["message.deleted"]),
    "react": (lambda s: s.react(s.alice, "👍"), ["message.updated"]),
    "react, the same": (lambda s: s.react(s.bob, "👍"), []),
    "unreact": (lambda s: s.unreact(s.bob, "👍"), ["message.updated"]),
    "unreact, not there": (lambda s: s.unreact(s.alice, "👍"), []),
    "name": (lambda s: s.patch(name="New"), ["chat.updated", "message.created"]),
    "name, the same": (lambda s: s.patch(name=s.chat["name"]), []),
    "topic": (lambda s: s.patch(topic="New"), ["chat.updated"]),
    "name and topic": (
        lambda s: s.patch(name="N", topic="T"),
        ["chat.updated", "message.created"],
    ),
    "add two": (
        lambda s: s.add(s.person("dora"), s.person("emil")),
        ["member.joined", "member.joined", "message.created"],
    ),
    "add, there already": (lambda s: s.add(s.carol), []),
    "remove": (lambda s: s.remove(s.carol, s.bob), ["member.left", "message.created"]),
    "leave": (lambda s: s.remove(s.carol, s.carol), ["member.left", "message.created"]),
    "the last owner leaves": (
        lambda s: s.remove(s.alice, s.alice),
        ["member.left", "member.updated", "message.created"],
    ),
    "role": (lambda s: s.set_role(s.carol, "admin"), ["member.updated", "message.created"]),
    "role, the same": (lambda s: s.set_role(s.carol, "member"), []),
    "own settings": (lambda s: s.patch(me={"pinned": True}), []),
    "read": (lambda s: s.carol.rest.post(f"{s.path}/read", json={"seq": 1}), []),
}


async def _numbered(socket: SocketClient, chat: dict[str, Any], until: int) -> list[Any]:
    """The numbered events of a chat, once the socket has been told that version."""
    is_told = any(one["version"] == until for one in socket.of_type(*NUMBERED))
    if until > chat["version"] and not is_told:  # it may come before the answer
        await socket.until(lambda frame: frame["type"] in NUMBERED and frame["version"] == until)
    return socket.of_type(*NUMBERED)


@pytest.mark.parametrize("change", BY_REST)
async def test_every_change_is_told_to_all_who_are_there_and_to_nobody_else(
    scene: Scene, mallory: Person, change: str
):
    make, expected = BY_REST[change]
    async with scene.bob.socket() as bob, scene.bob.socket() as twin, mallory.socket() as stranger:
        answer = await asyncio.to_thread(tidily, make, scene)
        assert isinstance(answer, dict) or answer.is_success, answer.text
        chat = await asyncio.to_thread(scene.now)
        first = scene.chat["version"] + 1
        assert chat["version"] == scene.chat["version"] + len(expected)
        for socket in (bob, twin):
            told = await _numbered(socket, scene.chat, chat["version"])
            assert [one["type"] for one in told] == expected
            assert [one["version"] for one in told] == list(range(first, first + len(expected)))
            assert {one["chat_id"] for one in told} <= {chat["id"]}
        await stranger.settle(0.1)
        assert [one["type"] for one in stranger.frames] == ["hello"]


BY_FRAME: dict[str, tuple[dict[str, Any], str]] = {
    "message.send": ({"content": "x"}, "message.created"),
    "message.edit": ({"content": "x"}, "message.updated"),
    "message.delete": ({}, "message.deleted"),
    "reaction.add": ({"emoji": "🎉"}, "message.updated"),
    "reaction.remove": ({"emoji": "👍"}, "message.updated"),
}


@pytest.mark.parametrize("kind", BY_FRAME)
async def test_a_frame_is_told_as_its_answer_says(scene: Scene, mallory: Person, kind: str):
    fields, expected = BY_FRAME[kind]
    where = {"chat_id": scene.chat["id"], "message_id": scene.message["id"]}
    async with scene.bob.socket() as bob, scene.alice.socket() as alice:
        answer = await bob.ask(kind, **where, **fields)
        event = await alice.event(expected)
        version = scene.chat["version"] + 1
        assert event == {
            "type": expected,
            "chat_id": scene.chat["id"],
            "version": version,
            "message": answer["message"],
        }
        assert answer["message"]["version"] == version
        assert await _numbered(bob, scene.chat, version) == [event]


async def test_events_carry_the_state_of_their_version(scene: Scene):
    async with scene.bob.socket() as bob:
        renamed = (await asyncio.to_thread(scene.patch, name="New", topic="Why")).json()
        updated = await bob.event("chat.updated")
        assert not {"last_message", "me", "peer"} & set(updated["chat"])
        assert updated["chat"]["name"] == "New"
        assert updated["chat"]["topic"] == "Why"
        assert updated["version"] == updated["chat"]["version"] == renamed["version"] - 1
        line = (await bob.event("message.created"))["message"]
        assert line["system"] == {
            "kind": "renamed",
            "actor_id": scene.alice.id,
            "user_ids": [],
            "name": "New",
            "role": None,
        }
        await asyncio.to_thread(scene.set_role, scene.carol, "admin")
        member = (await bob.event("member.updated"))["member"]
        assert (member["user"]["id"], member["role"]) == (scene.carol.id, "admin")
        await asyncio.to_thread(scene.remove, scene.carol, scene.alice)
        member = (await bob.event("member.left"))["member"]
        assert (member["user"]["id"], bool(member["left_at"])) == (scene.carol.id, True)


async def test_who_is_removed_in_mid_flood_hears_nothing_above_the_removal(scene: Scene):
    async with scene.alice.socket() as alice, scene.bob.socket() as bob, scene.carol.socket() as c:
        flood = asyncio.create_task(_flood(alice, scene.chat, 150))
        await asyncio.sleep(0.05)
        answer = await asyncio.to_thread(scene.remove, scene.carol, scene.alice)
        assert answer.status_code == 204
        await flood
        end = await asyncio.to_thread(scene.now)
        told = await _numbered(bob, scene.chat, end["version"])
        (left,) = [one for one in told if one["type"] == "member.left"]
        assert left["version"] < end["version"]
        await c.event("chat.removed", chat_id=scene.chat["id"])
        await c.settle()
        assert c.frames[-1]["type"] == "chat.removed"
        assert c.of_type(*NUMBERED) == [one for one in told if one["version"] <= left["version"]]


async def _flood(socket: SocketClient, chat: dict[str, Any], count: int) -> None:
    for number in range(count):
        await socket.send("message.send", chat_id=chat["id"], content=str(number))
        await asyncio.sleep(0.002)
    assert (await socket.ask("sync", chats={}))["type"] == "ok"


async def test_who_is_added_in_mid_flood_misses_nothing_from_then_on(scene: Scene):
    newcomers = [scene.person(f"new{number}") for number in range(6)]
    async with scene.alice.socket() as alice, scene.bob.socket() as bob:
        sockets = [one.socket() for one in newcomers]
        ears = [await one.__aenter__() for one in sockets]
        floods = [asyncio.create_task(_flood(who, scene.chat, 150)) for who in (alice, bob)]
        for newcomer in newcomers:
            assert (await asyncio.to_thread(scene.add, newcomer)).status_code == 200
        await asyncio.gather(*floods)
        end = (await asyncio.to_thread(scene.now))["version"]
        for ear, socket in zip(ears, sockets, strict=True):
            created = await ear.event("chat.created")
            start = created["chat"]["version"]
            assert start > scene.chat["version"]
            if start < end:
                await ear.until(lambda frame: frame.get("version") == end)
            later = [one for one in ear.frames if one["type"] in NUMBERED]
            versions = [one["version"] for one in later if one["version"] > start]
            assert versions == list(range(start + 1, end + 1))
            await socket.__aexit__(None, None, None)


async def test_new_chats_reach_open_sockets_whole_and_then_their_events(
    alice: Person, bob: Person, mallory: Person
):
    async with alice.socket() as own, bob.socket() as other, mallory.socket() as stranger:
        for make in (alice.direct_chat_with, alice.group_with):
            chat = await asyncio.to_thread(make, bob)
            created = [await one.event("chat.created") for one in (own, other)]
            assert [one["chat"]["id"] for one in created] == [chat["id"]] * 2
            for who, event in zip((alice, bob), created, strict=True):
                expected = who.rest.get(f"/chats/{chat['id']}").json()
                expected["peer"] = event["chat"]["peer"] and {
                    **expected["peer"],
                    **{name: event["chat"]["peer"][name] for name in ("is_online", "last_seen")},
                }
                assert event["chat"] == expected
            message = await asyncio.to_thread(bob.says, chat, "hi")
            for socket in (own, other):
                event = await socket.event("message.created", chat_id=chat["id"])
                assert event["message"] == message
                assert event["version"] == chat["version"] + 1
        await stranger.settle(0.1)
        assert [one["type"] for one in stranger.frames] == ["hello"]


async def test_a_deleted_chat_is_removed_from_every_socket_and_that_is_the_last(scene: Scene):
    async with scene.alice.socket() as alice, scene.bob.socket() as bob:
        assert (await asyncio.to_thread(scene.alice.rest.delete, scene.path)).status_code == 204
        for socket in (alice, bob):
            await socket.event("chat.removed", chat_id=scene.chat["id"])
            assert (await socket.ask("ping"))["type"] == "ok"
            assert [one["type"] for one in socket.frames] == ["hello", "chat.removed", "ok"]


async def test_ones_marks_and_settings_reach_ones_own_sockets_alone(scene: Scene):
    chat_id = scene.chat["id"]
    async with scene.bob.socket() as bob, scene.bob.socket() as twin, scene.alice.socket() as alice:

        async def are_told(me: dict[str, Any], times: int) -> None:
            """One change at a time: of two at once, both events may tell the later."""
            for socket in (bob, twin):
                while len(socket.of_type("me.updated")) < times:
                    await socket.event("me.updated")
                told = socket.of_type("me.updated")[-1]
                assert (told["chat_id"], told["me"]) == (chat_id, me)

        read = await bob.ask("read", chat_id=chat_id, seq=2)
        await are_told(read["me"], 1)
        again = await bob.ask("read", chat_id=chat_id, seq=1)
        assert again["me"] == read["me"]
        unread = await bob.ask("unread", chat_id=chat_id, seq=2)
        await are_told(unread["me"], 2)
        path = {"json": {"me": {"pinned": True, "notify": "none"}}}
        patched = await asyncio.to_thread(scene.bob.rest.patch, scene.path, **path)
        await are_told(patched.json()["me"], 3)
        assert [one["me"]["last_read_seq"] for one in (read, unread, patched.json())] == [2, 1, 1]
        for socket in (bob, twin):
            await socket.settle()
            assert len(socket.of_type("me.updated")) == 3
            assert socket.of_type("read") == []
        await alice.settle(0.1)
        assert alice.of_type("me.updated") == []
        assert alice.of_type("read") == [
            {"type": "read", "chat_id": chat_id, "user_id": scene.bob.id, "seq": 2}
        ]


def _crowd(alice: Person, bob: Person, size: int) -> dict[str, Any]:
    """A group of this size, with Alice and Bob."""
    people = User.objects.bulk_create(
        User(
            username=f"{alice.username}.{size}.{number}", email=f"{number}@{alice.id}{size}.example"
        )
        for number in range(size - 2)
    )
    body = {"type": "group", "name": "Crowd", "members": [bob.id, *(str(one.id) for one in people)]}
    chat: dict[str, Any] = alice.rest.post("/chats", json=body).json()
    assert chat["member_count"] == size
    return chat


async def test_how_far_others_read_is_told_in_chats_of_up_to_fifty(alice: Person, bob: Person):
    small, large = _crowd(alice, bob, 50), _crowd(alice, bob, 51)
    for chat in (large, small):
        alice.says(chat, "news")
    async with alice.socket() as socket, bob.socket() as reader:
        for chat in (large, small):
            assert (await reader.ask("read", chat_id=chat["id"], seq=2))["type"] == "ok"
        await socket.event("read")
        assert [one["chat_id"] for one in socket.of_type("read")] == [small["id"]]
    marks = [
        alice.rest.get(f"/chats/{chat['id']}/members").json()["results"][0]["last_read_seq"]
        for chat in (small, large)
    ]
    assert marks[0] is not None
    assert marks[1] is None


async def test_typing_is_told_in_chats_of_up_to_a_hundred(alice: Person, bob: Person):
    small, large = _crowd(alice, bob, 100), _crowd(alice, bob, 101)
    async with alice.socket() as socket, bob.socket() as typist:
        for chat in (large, small):
            assert await typist.ask("typing", chat_id=chat["id"])
        await socket.event("typing")
        assert socket.of_type("typing") == [
            {"type": "typing", "chat_id": small["id"], "user_id": bob.id}
        ]


async def test_typing_is_told_to_the_others_once_in_three_seconds_a_person_and_chat(
    scene: Scene, mallory: Person
):
    chat_id = scene.chat["id"]
    other = scene.alice.direct_chat_with(scene.bob)
    async with scene.bob.socket() as bob, scene.bob.socket() as twin, scene.alice.socket() as alice:
        started = time.monotonic()
        for socket in (bob, bob, twin, twin):
            assert (await socket.ask("typing", chat_id=chat_id))["type"] == "ok"
        await bob.ask("typing", chat_id=other["id"])
        async with mallory.socket() as stranger:
            for _ in range(2):
                answer = await stranger.ask("typing", chat_id=chat_id)
                assert answer["errors"][0]["code"] == "not_found"
        await alice.settle()
        told = [one["chat_id"] for one in alice.of_type("typing")]
        assert told == [chat_id, other["id"]]
        await asyncio.sleep(max(0, 3.1 - (time.monotonic() - started)))
        await twin.ask("typing", chat_id=chat_id)
        await alice.settle()
        assert len(alice.of_type("typing")) == 3
        await bob.settle(0.1)
        assert bob.of_type("typing") == []


async def test_a_new_name_is_told_to_all_who_share_a_chat_and_to_nobody_else(
    scene: Scene, mallory: Person
):
    async with scene.bob.socket() as own, scene.alice.socket() as alice, mallory.socket() as far:
        body = {"display_name": "Robert"}
        await asyncio.to_thread(lambda: scene.bob.rest.patch("/users/me", json=body))
        for socket in (own, alice):
            event = await socket.event("user.updated")
            assert event["user"]["id"] == scene.bob.id
            assert event["user"]["display_name"] == "Robert"
            assert "email" not in event["user"]
        await far.settle(0.1)
        assert far.of_type("user.updated") == []


async def test_presence_is_told_to_who_watches(alice: Person, bob: Person, carol: Person):
    async with alice.socket() as socket, carol.socket() as idle:
        answer = await socket.ask("presence.watch", user_ids=[bob.id])
        assert [(one["user_id"], one["is_online"]) for one in answer["users"]] == [(bob.id, False)]
        async with bob.socket():
            event = await socket.event("presence", timeout=1)
            assert (event["user_id"], event["is_online"]) == (bob.id, True)
        event = await socket.event("presence", timeout=5)
        assert (event["user_id"], event["is_online"]) == (bob.id, False)
        await idle.settle(0.1)
        assert idle.of_type("presence") == []
