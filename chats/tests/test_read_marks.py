"""How far one has read, and what is unread: exact counts."""

import asyncio
import re
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, transaction

from chatproject.listed import as_list
from chatproject.testing import Person
from messaging import queries
from messaging.batches import Send, write_batch

Document = dict[str, Any]


def me(who: Person, chat: Document) -> Document:
    own: Document = who.rest.get(f"/chats/{chat['id']}").json()["me"]
    return own


def counts(who: Person, chat: Document) -> tuple[int, int]:
    """Unread messages and mentions, the same in the chat and in the list."""
    listed = {one["id"]: one["me"] for one in who.rest.get("/chats").json()["results"]}
    own = me(who, chat)
    assert listed[chat["id"]] == own
    return own["unread_count"], own["mention_count"]


def mark(who: Person, chat: Document, kind: str, seq: int) -> Document:
    answer = who.rest.post(f"/chats/{chat['id']}/{kind}", json={"seq": seq})
    assert answer.status_code == 200, answer.text
    own: Document = answer.json()
    assert own == me(who, chat)
    return own


def says_much(who: Person, chat: Document, count: int) -> None:
    sends = [Send(who.user.id, None, UUID(chat["id"]), str(n)) for n in range(count)]
    write_batch(sends)


def test_messages_of_others_are_unread_until_they_are_read(
    alice: Person, bob: Person, group: Document
):
    assert counts(bob, group) == (0, 0)
    for number in range(3):
        alice.says(group, f"message {number}")
    assert counts(bob, group) == (3, 0)
    assert counts(alice, group) == (0, 0)
    own = mark(bob, group, "read", 3)
    assert (own["last_read_seq"], own["unread_count"]) == (3, 1)
    assert mark(bob, group, "read", 4)["unread_count"] == 0


def test_ones_own_messages_are_not_unread_and_do_not_move_the_mark(
    alice: Person, bob: Person, group: Document
):
    alice.says(group, "one")
    bob.says(group, "two")
    assert counts(bob, group) == (1, 0)
    assert counts(alice, group) == (1, 0)
    assert me(bob, group)["last_read_seq"] == 0


def test_system_messages_are_not_unread(alice: Person, bob: Person, group: Document):
    alice.says(group, "one")
    assert counts(bob, group) == (1, 0)
    alice.rest.patch(f"/chats/{group['id']}", json={"name": "Sailing"})
    assert counts(bob, group) == (1, 0)


def test_deleted_messages_are_not_unread(alice: Person, bob: Person, group: Document):
    messages = [alice.says(group, f"hello @{bob.username}") for _ in range(2)]
    own = bob.says(group, "mine")
    assert counts(bob, group) == (2, 2)
    for who, message in ((alice, messages[0]), (bob, own)):
        who.rest.delete(f"/chats/{group['id']}/messages/{message['id']}")
    assert counts(bob, group) == (1, 1)
    assert counts(alice, group) == (0, 0)


def test_mentions_are_counted_until_they_are_read(alice: Person, bob: Person, carol: Person):
    chat = alice.group_with(bob, carol)
    alice.says(chat, f"@{bob.username} and @{bob.username}")
    alice.says(chat, f"@{carol.username}")
    edited = alice.says(chat, "nobody yet")
    assert (counts(bob, chat), counts(carol, chat)) == ((3, 1), (3, 1))
    here = f"/chats/{chat['id']}/messages/{edited['id']}"
    alice.rest.patch(here, json={"content": f"@{bob.username.upper()}!"})
    assert (counts(bob, chat), counts(carol, chat)) == ((3, 2), (3, 1))
    mark(bob, chat, "read", 2)
    assert counts(bob, chat) == (2, 1)


def test_who_joins_has_read_all_before(alice: Person, carol: Person, group: Document):
    alice.says(group, "before")
    alice.rest.post(f"/chats/{group['id']}/members", json={"user_ids": [carol.id]})
    assert counts(carol, group) == (0, 0)
    assert me(carol, group)["last_read_seq"] == 2
    alice.says(group, "after")
    assert counts(carol, group) == (1, 0)


def test_up_to_999_are_counted_and_1000_means_more(alice: Person, bob: Person, group: Document):
    says_much(alice, group, 999)
    assert counts(bob, group) == (999, 0)
    bob.says(group, "mine")
    assert counts(bob, group) == (999, 0)
    says_much(alice, group, 1)
    assert counts(bob, group) == (1000, 0)
    says_much(alice, group, 5)
    assert counts(bob, group) == (1000, 0)
    assert mark(bob, group, "read", 6)["unread_count"] == 1000
    assert mark(bob, group, "read", 7)["unread_count"] == 999


def test_what_is_unread_is_counted_without_reading_it(alice: Person, group: Document):
    asked = queries._counted(as_list([(UUID(group["id"]), alice.user.id)]))
    sql, params = asked.query.get_compiler(using="default").as_sql()
    plan = "\n".join(map(str, _plan_for_any_values(sql, params)))
    assert "messages_never_unread" in plan, plan


def _plan_for_any_values(sql: str, params: Sequence[Any]) -> list[Any]:
    """What a database does that has prepared a query, as PostgreSQL has what is asked often."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            return cursor.fetchall()
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SET LOCAL enable_seqscan = off")  # the tables of a test are small
        numbers = count(1)
        cursor.execute(f"PREPARE asked AS {re.sub('%s', lambda _: f'${next(numbers)}', sql)}")
        places = ", ".join(["%s"] * len(params))
        own = psycopg.ClientCursor(connection.connection)
        return own.execute(f"EXPLAIN EXECUTE asked ({places})", params).fetchall()


def test_reading_moves_forward_never_back(alice: Person, bob: Person, group: Document):
    for number in range(3):
        alice.says(group, f"message {number}")
    assert mark(bob, group, "read", 3)["last_read_seq"] == 3
    for seq in (0, 1, 2, 3):
        assert mark(bob, group, "read", seq)["last_read_seq"] == 3
    assert me(alice, group)["last_read_seq"] == 0


def test_unread_is_the_way_back(alice: Person, bob: Person, group: Document):
    for number in range(3):
        alice.says(group, f"message {number}")
    mark(bob, group, "read", 4)
    own = mark(bob, group, "unread", 3)
    assert (own["last_read_seq"], own["unread_count"]) == (2, 2)
    own = mark(bob, group, "unread", 1)
    assert (own["last_read_seq"], own["unread_count"]) == (0, 3)
    for seq in (1, 2, 4, 5, 2**53):
        assert mark(bob, group, "unread", seq)["last_read_seq"] == 0


async def test_both_doors_mark_and_all_who_should_hear_of_it(
    alice: Person, bob: Person, mallory: Person, group: Document
):
    alice.says(group, "one")
    async with (
        bob.socket() as own,
        bob.socket() as other_device,
        alice.socket() as other,
        mallory.socket() as stranger,
    ):
        answer = await own.ask("read", chat_id=group["id"], seq=2)
        assert answer["me"] == me(bob, group)
        assert (await other_device.event("me.updated"))["me"] == answer["me"]
        told = await other.event("read")
        assert told == {"type": "read", "chat_id": group["id"], "user_id": bob.id, "seq": 2}
        assert mark(bob, group, "unread", 1)["last_read_seq"] == 0
        assert (await other_device.event("me.updated"))["me"]["last_read_seq"] == 0
        await other.settle()
        await stranger.settle()
        assert len(other.of_type("read")) == 1
        assert other.of_type("me.updated") == []
        assert stranger.of_type("read", "me.updated") == []
        assert own.of_type("read") == []


async def test_the_counts_told_fit_the_messages_told_before_them(
    alice: Person, bob: Person, group: Document
):
    """What somebody's device counts by itself from there on is never one off."""
    async with alice.socket() as busy, bob.socket() as reads, bob.socket() as counts_along:

        async def talk() -> None:
            for number in range(60):
                await busy.ask("message.send", chat_id=group["id"], content=f"{number}")

        async def read() -> None:
            for seq in range(1, 55, 3):
                while max(map(_seq, reads.frames)) <= seq:
                    await reads.until(lambda frame: True)
                await reads.ask("read", chat_id=group["id"], seq=seq)

        await asyncio.gather(talk(), read())
        await counts_along.until(lambda frame: _seq(frame) == 61, timeout=20)
        await counts_along.settle(2)
    told = 0
    for place, frame in enumerate(counts_along.frames):
        if frame["type"] == "me.updated":
            told += 1
            own = frame["me"]
            before = [_seq(one) for one in counts_along.frames[:place]]
            assert own["unread_count"] == sum(seq > own["last_read_seq"] for seq in before)
            last = place
    assert told > 3
    since = sum(_seq(one) > 0 for one in counts_along.frames[last:])
    assert counts_along.frames[last]["me"]["unread_count"] + since == counts(bob, group)[0] == 9


def _seq(frame: Document) -> int:
    seq: int = frame["message"]["seq"] if frame["type"] == "message.created" else 0
    return seq


def test_others_see_how_far_one_has_read(alice: Person, bob: Person, group: Document):
    mark(bob, group, "read", 1)
    members = alice.rest.get(f"/chats/{group['id']}/members").json()["results"]
    assert {one["user"]["id"]: one["last_read_seq"] for one in members} == {alice.id: 0, bob.id: 1}
