"""The hub, where something happens between two of its steps: each is held open until it has."""

import asyncio

from chatproject.realtime import seat_taken, to_watchers
from chatproject.testing import Hold, Person
from chats import actions as chat_actions
from messaging import consumers
from messaging.hub import Hub
from messaging.tests.hubs import Document, Door, chat_of, envelopes_of, listen, write


def tell_all(hub: Hub, chat: Document, since: int) -> int:
    """Gives the hub every event after a version; returns the last one's."""
    envelopes = envelopes_of(chat, since)
    for envelope in envelopes:
        hub.take(envelope)
    return envelopes[-1].number


async def test_who_is_removed_while_connecting_hears_nothing_of_what_comes_later(
    hub: Hub, hold: Hold, alice: Person, bob: Person, quiet_group: Document
):
    stays = await listen(hub, alice)
    seats = hold(hub._seats_of, "_ask")
    connecting = asyncio.create_task(listen(hub, bob))
    await seats.found()  # he has a seat, and is not attached yet
    chat_actions.remove_member(actor=alice.user, chat=chat_of(quiet_group), user_id=bob.user.id)
    removed = tell_all(hub, quiet_group, quiet_group["version"])
    seats.let_go()
    await seats.found()  # he has none any more, and was not sent away yet
    write(alice, quiet_group, 1)
    said = tell_all(hub, quiet_group, removed)
    await stays.until(said)
    seats.let_go()
    removed_one = await connecting
    await removed_one.quiet()
    assert removed_one.versions == []
    assert quiet_group["id"] not in removed_one.socket.chat_ids


async def test_who_connects_while_others_talk_hears_all_that_comes_later(
    hub: Hub, hold: Hold, alice: Person, bob: Person, quiet_group: Document
):
    await listen(hub, alice)
    seats = hold(hub._seats_of, "_ask")
    connecting = asyncio.create_task(listen(hub, bob))
    await seats.found()
    write(alice, quiet_group, 3)
    before = tell_all(hub, quiet_group, quiet_group["version"])
    seats.let_go(2)
    connected = await connecting
    write(alice, quiet_group, 1)
    said = tell_all(hub, quiet_group, before)
    await connected.until(said)
    assert connected.kinds == ["chat.created", "message.created"]
    assert connected.frames[0]["chat"]["version"] == before


async def test_who_joins_while_their_seats_are_compared_is_not_sent_away(
    hub: Hub, hold: Hold, alice: Person, carol: Person, quiet_group: Document
):
    ear = await listen(hub, carol)
    seats = hold(hub._seats_of, "_ask")
    comparing = asyncio.create_task(hub._check_seats(ear.socket))
    await seats.found()  # none
    chat = chat_of(quiet_group)
    chat_actions.add_members(actor=alice.user, chat=chat, users=[carol.user])
    joined = chat_of(quiet_group).version
    hub.take(seat_taken(carol.user.id, chat.id))
    await ear.until_told("chat.created")
    seats.let_go()
    await comparing
    write(alice, quiet_group, 1)
    await ear.until(tell_all(hub, quiet_group, joined))
    assert ear.kinds == ["chat.created", "message.created"]


async def test_who_comes_while_it_is_looked_who_is_online_is_told_of_after_the_answer(
    hub: Hub, door: Door, hold: Hold, alice: Person, bob: Person
):
    async with door(bob) as watcher:
        looking = hold(consumers, "_run")
        await watcher.send_json_to({"type": "presence.watch", "ref": "1", "user_ids": [alice.id]})
        await looking.found()
        await listen(hub, alice)
        facts = {"user_id": alice.id, "is_online": True, "last_seen": None}
        event = {"type": "presence", **facts}
        hub.take(to_watchers(alice.user.id, event))
        looking.let_go()
        answer, told = [await watcher.receive_json_from(timeout=5) for _ in range(2)]
    assert (answer["type"], told) == ("ok", event)
    assert answer["users"][0]["is_online"] is False  # it was read before she came
