"""Sending messages, through every door."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.actions import end_sign_ins
from chatproject.errors import Invalid, NotSignedIn, TryAgain
from chatproject.ids import new_id
from chatproject.testing import Person, SocketClient, error_of
from chats.models import Chat
from messaging.batches import Posted, Send, write_batch
from messaging.writer import Outcome, Waiting, Writer


async def test_a_message_reaches_everybody_in_the_chat(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    async with alice.socket() as one, bob.socket() as two, mallory.socket() as stranger:
        answer = await one.ask("message.send", chat_id=group["id"], content="Hello *all*")
        assert answer["type"] == "ok"
        event = await two.event("message.created")
        assert event["message"] == answer["message"]
        assert event["message"]["html"] == '<p dir="auto">Hello <em>all</em></p>'
        await stranger.settle()
        assert stranger.of_type("message.created") == []


async def test_a_thousand_messages_by_five_people_over_both_doors_have_no_hole(
    alice: Person, person: Any
):
    people = [alice, *(person(name) for name in ("bob", "carol", "dora", "emil"))]
    chat = alice.group_with(*people[1:])
    await asyncio.gather(*(_talk_and_listen(one, chat) for one in people))


async def _talk_and_listen(who: Person, chat: dict[str, Any]) -> None:
    async with who.socket() as socket:
        await asyncio.sleep(0.5)  # until all five listen
        for number in range(100):
            await socket.send("message.send", chat_id=chat["id"], content=f"socket {number}")
            await asyncio.to_thread(who.says, chat, f"REST {number}")
        last = chat["last_seq"] + 1000
        await socket.until(lambda frame: frame.get("message", {}).get("seq") == last, timeout=60)
        told = socket.of_type("message.created")
        assert [one["message"]["seq"] for one in told] == list(
            range(chat["last_seq"] + 1, last + 1)
        )
        first = chat["version"] + 1
        assert [one["version"] for one in told] == list(range(first, first + 1000))


async def test_twenty_equal_sends_over_both_doors_store_one_message(
    alice: Person, bob: Person, group: dict[str, Any]
):
    same = {"content": "once", "client_id": "the-same"}
    async with alice.socket() as socket:
        answers = await asyncio.gather(
            *(asyncio.to_thread(alice.says, group, **same) for _ in range(10)),
        )
        for _ in range(10):
            await socket.send("message.send", ref="r", chat_id=group["id"], **same)
        oks = [(await socket.event("ok"))["message"] for _ in range(10)]
    assert len({message["id"] for message in [*answers, *oks]}) == 1
    history = bob.rest.get(f"/chats/{group['id']}/messages").json()["results"]
    assert [message["content"] for message in history[1:]] == ["once"]


def _send(who: Person, chat: dict[str, Any], content: str) -> Send:
    return Send(sender_id=who.user.id, sign_in_id=None, chat_id=UUID(chat["id"]), content=content)


def test_a_stranger_or_somebody_who_left_finds_no_chat_to_post_in(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    assert bob.says(group, "premise")["seq"] == group["last_seq"] + 1
    bob.rest.delete(f"/chats/{group['id']}/members/{bob.id}")
    unknown = mallory.rest.post(f"/chats/{new_id()}/messages", json={"content": "x"})
    for who in (bob, mallory):
        answer = who.rest.post(f"/chats/{group['id']}/messages", json={"content": "x"})
        assert answer.status_code == 404
        assert answer.json() == unknown.json()
        assert answer.json()["errors"][0]["code"] == "not_found"


async def test_a_stranger_learns_nothing_over_a_socket_either(
    mallory: Person, group: dict[str, Any]
):
    async with mallory.socket() as socket:
        answer = await socket.ask("message.send", chat_id=group["id"], content="x")
        unknown = await socket.ask("message.send", chat_id=str(new_id()), content="x")
        assert answer["type"] == "error"
        assert answer["errors"] == unknown["errors"]
        assert answer["errors"][0]["code"] == "not_found"


def test_text_is_kept_as_sent_but_for_the_space_around_it(alice: Person, group: dict[str, Any]):
    assert alice.says(group, " \n e\u0301 \u00e9  ﬁ \t")["content"] == "e\u0301 \u00e9  ﬁ"
    longest = "🎉" * 10_000
    assert alice.says(group, longest)["content"] == longest


def test_unknown_fields_are_ignored_and_a_bot_may_post(alice: Person, robot: Person):
    chat = alice.group_with(robot)
    message = robot.says(chat, "beep", seq=99, sender_id=alice.id, html="<b>", nonsense=[1])
    assert message["seq"] == chat["last_seq"] + 1
    assert message["version"] == chat["version"] + 1
    assert message["sender_id"] == message["sender"]["id"] == robot.id
    assert message["html"] == '<p dir="auto">beep</p>'
    assert message["message_type"] == "text"


def test_the_same_client_id_again_answers_200_with_what_is_stored(
    alice: Person, group: dict[str, Any]
):
    path = f"/chats/{group['id']}/messages"
    first = alice.rest.post(path, json={"content": "first", "client_id": "c-1"})
    again = alice.rest.post(path, json={"content": "other", "client_id": "c-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["client_id"] == "c-1"


def test_a_client_id_counts_for_one_sender_in_one_chat(
    alice: Person, bob: Person, group: dict[str, Any]
):
    other = alice.group_with(bob)
    sent = [
        alice.says(group, "1", client_id="c"),
        bob.says(group, "2", client_id="c"),
        alice.says(other, "3", client_id="c"),
    ]
    assert [one["content"] for one in sent] == ["1", "2", "3"]
    assert len({one["id"] for one in sent}) == 3


def test_a_repeat_of_a_deleted_message_stores_no_second_one(alice: Person, group: dict[str, Any]):
    message = alice.says(group, "oops", client_id="gone")
    alice.rest.delete(f"/chats/{group['id']}/messages/{message['id']}")
    again = alice.says(group, "oops", client_id="gone")
    assert again["id"] == message["id"]
    assert again["deleted_at"]


async def test_sends_of_one_socket_keep_their_order(
    alice: Person, bob: Person, group: dict[str, Any]
):
    async with alice.socket() as socket, bob.socket() as other:
        for number in range(100):
            await socket.send("message.send", chat_id=group["id"], content=str(number))
        answer = await socket.ask("sync", chats={group["id"]: group["version"]})
        last = group["last_seq"] + 100
        await other.until(lambda frame: frame.get("message", {}).get("seq") == last)
        told = [one["message"]["content"] for one in other.of_type("message.created")]
    assert told == [str(number) for number in range(100)]
    assert len(answer["changes"][0]["messages"]) == 100  # a later frame took effect later


async def test_an_edit_right_behind_its_message_finds_it(alice: Person, group: dict[str, Any]):
    async with alice.socket() as socket:
        sent = await socket.ask("message.send", chat_id=group["id"], content="a")
        await socket.send("message.send", chat_id=group["id"], content="b", client_id="b")
        where = {"chat_id": group["id"], "message_id": sent["message"]["id"]}
        edited = await socket.ask("message.edit", **where, content="c")
        assert edited["message"]["version"] == sent["message"]["version"] + 2


def test_a_batch_of_fifty_takes_no_more_queries_than_one(
    alice: Person, bob: Person, group: dict[str, Any]
):
    counts = []
    for size in (1, 50):
        text = f"hello @{bob.username}"
        batch = [_send((alice, bob)[number % 2], group, text) for number in range(size)]
        with CaptureQueriesContext(connection) as queries:
            assert all(isinstance(one, Posted) for one in write_batch(batch))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


def test_one_bad_send_of_a_batch_takes_no_number_and_no_other_with_it(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    ended = bob.sign_in
    end_sign_ins(sign_ins=[ended])
    batch = [_send(alice, group, "1") for _ in range(5)]
    batch[1].reply_to = new_id()
    batch[2].sender_id = mallory.user.id
    batch[3].sender_id, batch[3].sign_in_id = bob.user.id, ended.id
    good, reply, stranger, signed_out, last = write_batch(batch)
    assert isinstance(good, Posted)
    assert isinstance(last, Posted)
    assert last.message["seq"] == good.message["seq"] + 1
    assert last.message["version"] == good.message["version"] + 1
    assert isinstance(reply, Invalid)
    assert getattr(stranger, "code", None) == "not_found"
    assert isinstance(signed_out, NotSignedIn)


def test_a_repeat_within_one_batch_is_stored_once(alice: Person, group: dict[str, Any]):
    batch = [_send(alice, group, str(number)) for number in range(3)]
    for send in batch:
        send.client_id = "twin"
    outcomes = [one for one in write_batch(batch) if isinstance(one, Posted)]
    assert [one.is_new for one in outcomes] == [True, False, False]
    assert {one.message["content"] for one in outcomes} == {"0"}


def test_two_chats_in_one_batch_count_each_for_itself(alice: Person, bob: Person):
    chats = [alice.group_with(bob), alice.direct_chat_with(bob)]
    outcomes = write_batch([_send(bob, chats[number % 2], "x") for number in range(10)])
    for index, chat in enumerate(chats):
        told = [one.message for one in outcomes[index::2] if isinstance(one, Posted)]
        expected = list(range(chat["last_seq"] + 1, chat["last_seq"] + 6))
        assert [one["seq"] for one in told] == expected
        assert told[-1]["version"] == chat["version"] + 5


def test_a_send_that_nobody_waits_for_any_more_holds_up_no_other(
    alice: Person, group: dict[str, Any]
):
    ended = asyncio.new_event_loop()
    ended.close()
    writer = Writer()
    writer.submit(_send(alice, group, "1"), print, ended)
    assert writer.outcome_of(_send(alice, group, "2")).result(5).message["content"] == "2"


def test_what_may_be_stored_is_tried_again_only_under_its_client_id(
    alice: Person, group: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    """The connection is lost after the commit, before its answer."""

    def write_and_lose(batch: Sequence[Send]) -> None:
        monkeypatch.undo()
        write_batch(batch)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("messaging.writer.write_batch", write_and_lose)
    sends = [_send(alice, group, f"{number}") for number in range(3)]
    sends[1].client_id = "known"
    outcomes: dict[str, Outcome] = {}
    Writer()._write(
        [Waiting(one, partial(outcomes.__setitem__, one.content), None) for one in sends]
    )
    assert isinstance(outcomes["0"], TryAgain)
    assert isinstance(outcomes["1"], Posted)
    assert not outcomes["1"].is_new
    assert isinstance(outcomes["2"], TryAgain)
    history = alice.rest.get(f"/chats/{group['id']}/messages").json()["results"]
    assert [one["content"] for one in history[1:]] == ["0", "1", "2"]


def test_forty_who_post_at_once_are_all_answered(person: Any, alice: Person):
    people = [person("poster") for _ in range(40)]
    chat = alice.group_with(*people)
    began_at = time.monotonic()
    with ThreadPoolExecutor(40) as pool:
        said = list(pool.map(lambda who: who.says(chat, "x"), people))
    assert sorted(one["seq"] for one in said) == list(range(2, 42))
    assert time.monotonic() - began_at < 8


@pytest.mark.services
def test_a_chat_that_is_held_holds_up_no_other(alice: Person, bob: Person):
    held, free = alice.group_with(bob), alice.group_with(bob)
    with transaction.atomic():
        Chat.objects.locked().get(id=held["id"])
        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(
                alice.rest.post, f"/chats/{held['id']}/messages", json={"content": "x"}
            )
            began_at = time.monotonic()
            for _ in range(5):
                bob.says(free, "x")
            assert time.monotonic() - began_at < 5
            assert error_of(waits.result(), 503)["code"] == "try_again"
    alice.says(held, "now")


async def test_long_messages_throw_nobody_off_who_reads(person: Any, alice: Person):
    talkers = [person("talker") for _ in range(4)]
    chat = alice.group_with(*talkers)

    async def read(reader: SocketClient) -> None:
        await reader.event("message.created", timeout=30, version=chat["version"] + 120)
        assert (await reader.ask("ping"))["type"] == "ok"

    async def talk(socket: SocketClient) -> None:
        message = {"chat_id": chat["id"], "content": "x" * 9_990}
        for number in range(30):
            await socket.send("message.send", ref=f"r{number}", **message)

    async with contextlib.AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(alice.socket()) for _ in range(4)]
        sockets = [await stack.enter_async_context(who.socket()) for who in talkers]
        await asyncio.gather(*map(read, readers), *map(talk, sockets))


def test_a_client_id_is_kept_to_the_letter(alice: Person, group: dict[str, Any]):
    assert alice.says(group, "x", client_id=" a ")["client_id"] == " a "
    assert alice.says(group, "y", client_id="a")["client_id"] == "a"
    assert alice.says(group, "again", client_id=" a ")["content"] == "x"
