"""The hub under faults: events that are lost, doubled, shuffled or never published."""

import asyncio
import itertools
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now

from accounts.actions import end_sign_ins, set_active
from accounts.models import SignIn, User
from chatproject.realtime import seat_taken
from chatproject.testing import Person
from chatproject.wires import SendWire, framed
from chats import actions as chat_actions
from chats.models import Chat
from messaging import actions
from messaging.hub import NEVER, Hub
from messaging.sockets import Socket
from messaging.tests.hubs import NEVER_ENDS, chat_of, envelopes_of, listen, write


async def test_shuffled_events_go_out_in_order_and_once(
    hub: Hub, alice: Person, quiet_group: dict[str, Any]
):
    ear = await listen(hub, alice)
    start = quiet_group["version"]
    for order in itertools.permutations(range(4)):
        write(alice, quiet_group, 4)
        envelopes = envelopes_of(quiet_group, start)
        for index in order:
            hub.take(envelopes[index])
        start += 4
        await ear.until(start)
    first = quiet_group["version"] + 1
    await ear.quiet()
    assert ear.versions == list(range(first, start + 1))


async def test_doubled_events_go_out_once(hub: Hub, alice: Person, quiet_group: dict[str, Any]):
    ear = await listen(hub, alice)
    write(alice, quiet_group, 5)
    envelopes = envelopes_of(quiet_group, quiet_group["version"])
    for envelope in [*envelopes[:3], *envelopes, *envelopes]:
        hub.take(envelope)
    first = quiet_group["version"] + 1
    await ear.quiet()
    assert ear.versions == list(range(first, first + 5))


async def test_a_hole_is_filled_from_the_database(
    hub: Hub, alice: Person, bob: Person, quiet_group: dict[str, Any]
):
    ears = [await listen(hub, who) for who in (alice, bob, alice)]
    stored = write(bob, quiet_group, 10)
    hub.take(envelopes_of(quiet_group, quiet_group["version"])[-1])
    for ear in ears:
        await ear.until(stored[-1]["version"])
        assert [one["message"] for one in await ear.quiet()] == stored
        assert {one["type"] for one in ear.frames} == {"message.created"}


async def test_a_long_hole_is_filled_to_its_end(
    hub: Hub, alice: Person, quiet_group: dict[str, Any]
):
    ear = await listen(hub, alice)
    stored = write(alice, quiet_group, 1_203)
    hub.take(envelopes_of(quiet_group, stored[-2]["version"])[-1])
    await ear.until(stored[-1]["version"])
    assert ear.versions == [one["version"] for one in stored]


async def test_what_was_only_overtaken_goes_out_as_it_was(
    hub: Hub, alice: Person, quiet_group: dict[str, Any]
):
    ear = await listen(hub, alice)
    (message,) = write(alice, quiet_group, 1)
    (created,) = envelopes_of(quiet_group, quiet_group["version"])
    actions.edit_message(
        actor=alice.user, chat=chat_of(quiet_group), message_id=UUID(message["id"]), content="y"
    )
    edited = envelopes_of(quiet_group, message["version"])[0]
    hub.take(edited)
    hub.take(created)
    await ear.quiet()
    assert [one["type"] for one in ear.frames] == ["message.created", "message.updated"]
    assert [one["message"]["content"] for one in ear.frames] == ["x", "y"]


async def test_a_lost_change_that_was_replaced_is_superseded(
    hub: Hub, alice: Person, quiet_group: dict[str, Any]
):
    ear = await listen(hub, alice)
    (message,) = write(alice, quiet_group, 1)
    where = {"actor": alice.user, "chat": chat_of(quiet_group), "message_id": UUID(message["id"])}
    actions.edit_message(**where, content="y")
    actions.delete_message(**where)
    write(alice, quiet_group, 1)
    version = message["version"]
    hub.take(envelopes_of(quiet_group, version + 2)[0])
    await ear.until(version + 3)
    lost = {"type": "superseded", "chat_id": quiet_group["id"]}
    assert ear.frames[:2] == [{**lost, "version": version}, {**lost, "version": version + 1}]
    kinds = [(one["type"], one["version"]) for one in ear.frames[2:]]
    assert kinds == [("message.deleted", version + 2), ("message.created", version + 3)]


async def test_a_lost_removal_still_ends_what_the_removed_hear(
    hub: Hub, alice: Person, bob: Person, quiet_group: dict[str, Any]
):
    left, stays = await listen(hub, bob), await listen(hub, alice)
    write(alice, quiet_group, 1)
    chat_actions.remove_member(actor=alice.user, chat=chat_of(quiet_group), user_id=bob.user.id)
    stored = write(alice, quiet_group, 3)
    hub.take(envelopes_of(quiet_group, stored[-2]["version"])[0])
    await stays.until(stored[-1]["version"])
    await left.quiet()
    kinds = [one["type"] for one in left.frames]
    assert kinds == ["message.created", "member.left", "chat.removed"]
    first = quiet_group["version"] + 1
    assert stays.versions == list(range(first, stored[-1]["version"] + 1))


async def test_who_was_removed_and_asked_back_unheard_listens_on(
    hub: Hub, alice: Person, bob: Person, quiet_group: dict[str, Any]
):
    returns = await listen(hub, bob)
    chat = chat_of(quiet_group)
    chat_actions.remove_member(actor=alice.user, chat=chat, user_id=bob.user.id)
    chat_actions.add_members(actor=alice.user, chat=chat, users=[bob.user])
    await hub._sweep()
    await returns.until(chat_of(quiet_group).version)
    (last,) = write(alice, quiet_group, 1)
    hub.take(envelopes_of(quiet_group, last["version"] - 1)[0])
    await returns.until(last["version"])


async def test_joining_skips_nothing_of_what_the_others_have_not_heard(
    hub: Hub, alice: Person, carol: Person, quiet_group: dict[str, Any]
):
    stays, joins = await listen(hub, alice), await listen(hub, carol)
    write(alice, quiet_group, 1_100)
    chat = chat_of(quiet_group)
    chat_actions.add_members(actor=alice.user, chat=chat, users=[carol.user])
    hub.take(seat_taken(carol.user.id, chat.id))
    last = quiet_group["version"] + 1_102
    await stays.until(last)
    await joins.quiet()
    created = joins.frames[0]
    assert (created["type"], created["chat"]["version"]) == ("chat.created", last)
    write(alice, quiet_group, 1)
    hub.take(envelopes_of(quiet_group, last)[0])
    for ear in (stays, joins):
        await ear.until(last + 1)
    assert stays.versions == list(range(quiet_group["version"] + 1, last + 2))
    assert [one for one in joins.versions if one > last] == [last + 1]


async def test_who_connects_while_another_joins_is_not_sent_the_past(
    hub: Hub, alice: Person, carol: Person, quiet_group: dict[str, Any]
):
    joins = await listen(hub, carol)
    write(alice, quiet_group, 700)
    chat = chat_of(quiet_group)
    chat_actions.add_members(actor=alice.user, chat=chat, users=[carol.user])
    start = chat_of(quiet_group).version
    hub.take(seat_taken(carol.user.id, chat.id))
    await asyncio.sleep(0)
    connects = await listen(hub, alice)
    await joins.quiet()
    (stored,) = write(alice, quiet_group, 1)
    hub.take(envelopes_of(quiet_group, start)[0])
    for ear in (connects, joins):
        await ear.until(stored["version"])
        assert ear.versions == [start + 1]


async def test_a_deleted_chat_is_removed_though_its_events_were_lost(
    hub: Hub, alice: Person, quiet_group: dict[str, Any]
):
    ear = await listen(hub, alice)
    write(alice, quiet_group, 3)
    late = envelopes_of(quiet_group, quiet_group["version"] + 2)[0]
    chat_actions.delete_chat(actor=alice.user, chat=chat_of(quiet_group))
    hub.take(late)
    await ear.quiet()
    assert ear.frames == [{"type": "chat.removed", "chat_id": quiet_group["id"]}]
    hub.take(late)
    await ear.quiet()
    assert len(ear.frames) == 1
    hub.disconnect(ear.socket)


async def test_the_whole_sweep_finds_what_was_changed_long_ago(
    hub: Hub, alice: Person, bob: Person, quiet_group: dict[str, Any]
):
    ear, other = await listen(hub, alice), await listen(hub, bob)
    (stored,) = write(alice, quiet_group, 1)
    new = chat_actions.create_group(actor=alice.user, name="New")
    end_sign_ins(sign_ins=SignIn.objects.filter(id=bob.sign_in.id))
    for rows in (User.objects, Chat.objects, SignIn.objects):
        rows.update(changed_at=Now() - timedelta(minutes=2))
    await hub._sweep()
    assert await ear.quiet() == []
    hub._swept_whole_at = NEVER
    await hub._sweep()
    await ear.until(stored["version"])
    await ear.until_told("chat.created")
    assert [one["chat"]["id"] for one in ear.frames if "chat" in one] == [str(new.id)]
    assert not other.socket.is_open
    ear.frames.clear()
    hub._swept_whole_at = NEVER
    await hub._sweep()
    assert await ear.quiet() == []


async def test_more_than_a_mebibyte_of_waiting_events_cuts_off_but_answers_do_not(alice: Person):
    sent: list[dict[str, Any]] = []
    ready = asyncio.Event()

    async def send_to_stalled_client(message: dict[str, Any]) -> None:
        await ready.wait()
        sent.append(message)

    wire = SendWire(send_to_stalled_client)
    socket = Socket(wire, user=alice.user, sign_in_id=alice.sign_in.id, expires_at=NEVER_ENDS)
    half = framed(b"x" * 600_000)
    socket.answer(half * 4)
    socket.push(half)
    socket.push(half)
    assert socket.is_open
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(socket.answered(), 0.05)
    socket.push(framed(b"one more"))
    assert not socket.is_open
    ready.set()
    await asyncio.sleep(0.05)
    assert sent[-1] == {"type": "websocket.close", "code": 4408}


async def test_the_sweep_delivers_within_five_seconds_what_was_never_published(
    alice: Person, bob: Person, carol: Person, person: Any, settings: Any
):
    settings.REDIS_URL = ""  # so that no layer hears what this process writes
    dora, emil = person("dora"), person("emil")
    chat, left, dead = (alice.group_with(bob) for _ in range(3))
    apart = alice.direct_chat_with(emil)
    alice.direct_chat_with(dora)
    User.objects.filter(id=emil.user.id).update(changed_at=Now() - timedelta(minutes=2))
    async with (
        bob.socket() as socket,
        carol.socket() as stranger,
        dora.socket() as banned,
        emil.socket() as calm,  # whose seats stay as they are
    ):
        started = time.monotonic()
        stored = write(alice, chat, 3)
        (alone,) = write(alice, apart, 1)
        chat_actions.update_chat(actor=alice.user, chat=chat_of(chat), name="New")
        chat_actions.remove_member(actor=alice.user, chat=chat_of(left), user_id=bob.user.id)
        write(alice, left, 1)
        chat_actions.delete_chat(actor=alice.user, chat=chat_of(dead))
        new = chat_actions.create_group(actor=alice.user, name="With Bob", members=[bob.user])
        set_active(users=[dora.user], is_active=False)
        assert await banned.close_code() == 4403
        created = await socket.event("chat.created")
        await asyncio.sleep(max(0, started + 5 - time.monotonic()))
        for one in (socket, stranger, calm):
            await one.settle(0.05)
    assert created["chat"]["id"] == str(new.id)
    first = chat["version"] + 1
    of_chat = [one for one in socket.frames if one.get("chat_id") == chat["id"]]
    assert [one["version"] for one in of_chat] == list(range(first, first + 5))
    assert [one["message"] for one in of_chat[:3]] == stored
    assert [one["type"] for one in of_chat[3:]] == ["chat.updated", "message.created"]
    assert [one["message"] for one in calm.of_type("message.created")] == [alone]
    for gone in (left, dead):
        told = [one for one in socket.frames if one.get("chat_id") == gone["id"]]
        assert told[-1]["type"] == "chat.removed"
        assert all(one.get("version", 0) <= left["version"] + 1 for one in told)
    assert [one["type"] for one in stranger.frames] == ["hello"]
