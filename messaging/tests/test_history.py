"""Reading what was said, page by page."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from chatproject.testing import Person
from messaging.batches import Send, write_batch
from messaging.models import Message
from messaging.serializers import message_documents


def _fill(who: Person, chat: dict[str, Any], last_seq: int) -> None:
    count = last_seq - chat["last_seq"]
    chat_id = UUID(chat["id"])
    write_batch([Send(who.user.id, None, chat_id, f"message {number}") for number in range(count)])


@pytest.fixture
def thirty(alice: Person, bob: Person) -> dict[str, Any]:
    """A group with thirty messages."""
    chat = alice.group_with(bob)
    _fill(bob, chat, 30)
    return chat


def _page(who: Person, chat: dict[str, Any], **query: Any) -> tuple[list[int], bool, bool]:
    answer = who.rest.get(f"/chats/{chat['id']}/messages", params=query)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert set(page) == {"results", "has_before", "has_after"}
    return [one["seq"] for one in page["results"]], page["has_before"], page["has_after"]


def _seqs(first: int, last: int) -> list[int]:
    return list(range(first, last + 1))


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, 1, 30),
        ({"limit": 10}, 21, 30),
        ({"limit": 1}, 30, 30),
        ({"limit": 200}, 1, 30),
        ({"limit": 10, "before": 21}, 11, 20),
        ({"limit": 10, "before": 11}, 1, 10),
        ({"limit": 10, "before": 5}, 1, 4),
        ({"limit": 10, "before": 31}, 21, 30),
        ({"limit": 10, "before": 2**53}, 21, 30),
        ({"limit": 10, "before": 1}, 1, 0),
        ({"limit": 10, "after": 0}, 1, 10),
        ({"limit": 10, "after": 10}, 11, 20),
        ({"limit": 10, "after": 25}, 26, 30),
        ({"limit": 10, "after": 29}, 30, 30),
        ({"limit": 11, "around": 15}, 10, 20),
        ({"limit": 1, "around": 15}, 15, 15),
        ({"limit": 10, "around": 1}, 1, 10),
        ({"limit": 10, "around": 0}, 1, 10),
        ({"limit": 10, "around": 30}, 21, 30),
        ({"limit": 10, "around": 2**53}, 21, 30),
        ({"limit": 200, "around": 15}, 1, 30),
    ],
)
def test_a_page_and_what_lies_on_either_side(
    alice: Person, thirty: dict[str, Any], query: dict[str, int], first: int, last: int
):
    seqs, has_before, has_after = _page(alice, thirty, **query)
    assert seqs == _seqs(first, last)
    assert has_after is (last < 30)
    assert has_before is (bool(seqs) and first > 1)


@pytest.mark.parametrize("after", [30, 31, 2**53])
def test_after_the_last_there_is_nothing(alice: Person, thirty: dict[str, Any], after: int):
    assert _page(alice, thirty, after=after) == ([], True, False)


@pytest.mark.parametrize("around", [1, 2, 14, 15, 29, 30])
@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_a_page_around_a_message_holds_it_and_is_full(
    alice: Person, thirty: dict[str, Any], around: int, limit: int
):
    seqs, _, _ = _page(alice, thirty, around=around, limit=limit)
    assert around in seqs
    assert len(seqs) == limit


def test_fifty_are_a_page_where_nothing_else_is_said(alice: Person, bob: Person):
    chat = alice.group_with(bob)
    _fill(bob, chat, 60)
    assert _page(alice, chat) == (_seqs(11, 60), True, False)


def test_an_empty_chat_has_an_empty_page(alice: Person, bob: Person):
    chat = alice.direct_chat_with(bob)
    for query in ({}, {"before": 5}, {"after": 0}, {"around": 0}, {"around": 9}):
        assert _page(alice, chat, **query) == ([], False, False)


def test_a_stranger_reads_nothing_and_a_newcomer_all(
    alice: Person, carol: Person, mallory: Person, thirty: dict[str, Any]
):
    answer = mallory.rest.get(f"/chats/{thirty['id']}/messages")
    assert answer.status_code == 404
    alice.rest.post(f"/chats/{thirty['id']}/members", json={"user_ids": [carol.id]})
    assert _page(carol, thirty, after=0) == (_seqs(1, 31), False, False)


def test_who_left_reads_nothing_any_more(alice: Person, bob: Person, thirty: dict[str, Any]):
    assert _page(bob, thirty, limit=1)[0] == [30]
    bob.rest.delete(f"/chats/{thirty['id']}/members/{bob.id}")
    for path in ("messages", "changes?since=0"):
        assert bob.rest.get(f"/chats/{thirty['id']}/{path}").status_code == 404


def test_one_message_looks_the_same_to_every_reader(
    alice: Person, bob: Person, group: dict[str, Any]
):
    message = alice.says(group, f"hi @{bob.username}", client_id="mine")
    pages = [who.rest.get(f"/chats/{group['id']}/messages").json() for who in (alice, bob)]
    assert pages[0] == pages[1]
    assert pages[0]["results"][-1] == message


def test_paging_forth_and_back_shows_every_message_once(alice: Person, thirty: dict[str, Any]):
    forth, after = [], 0
    while page := _page(alice, thirty, after=after, limit=7)[0]:
        forth += page
        after = page[-1]
    back: list[int] = []
    before = 2**53
    while page := _page(alice, thirty, before=before, limit=7)[0]:
        back = page + back
        before = page[0]
    assert forth == back == _seqs(1, 30)


def test_a_page_of_fifty_takes_no_more_queries_than_one_of_one(
    alice: Person, bob: Person, carol: Person
):
    chat = alice.group_with(bob, carol)
    for who in (alice, bob, carol):
        _fill(who, who.rest.get(f"/chats/{chat['id']}").json(), 60)
    counts = [_queries_for(alice, chat, "messages", limit, limit=limit) for limit in (1, 50)]
    assert counts[0] == counts[1] <= 3


def _queries_for(who: Person, chat: dict[str, Any], path: str, size: int, **query: int) -> int:
    client = APIClient(headers=who.headers)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(f"/chats/{chat['id']}/{path}", query).json()
    assert len(page.get("results", page.get("messages"))) == size
    return len(captured)


def test_the_number_of_queries_is_the_same_at_any_depth(alice: Person, thirty: dict[str, Any]):
    places = [{"before": 6}, {"before": 31}, {"after": 0}, {"after": 25}, {"around": 15}]
    counts = {_queries_for(alice, thirty, "messages", 5, limit=5, **place) for place in places}
    assert len(counts) == 1
    assert counts.pop() <= 3


def test_sixty_changes_take_no_more_queries_than_three(
    alice: Person, bob: Person, group: dict[str, Any]
):
    _fill(bob, group, 61)
    version = group["version"] + 60
    counts = [_queries_for(alice, group, "changes", size, since=version - size) for size in (3, 60)]
    assert counts[0] == counts[1] <= 9


def test_a_page_reads_messages_as_those_who_wrote_them_were_answered(
    alice: Person, bob: Person, group: dict[str, Any]
):
    first = alice.says(group, f"hi @{bob.username}", client_id="mine")
    path = f"/chats/{group['id']}/messages"
    alice.rest.post(path, json={"content": "an <b>answer</b>", "reply_to": first["id"]})
    for who, emoji in ((bob, "👍"), (alice, "🎉"), (alice, "👍")):
        who.rest.put(f"{path}/{first['id']}/reactions/{emoji}")
    alice.rest.patch(f"{path}/{first['id']}", json={"content": f"hello @{bob.username}"})
    gone = bob.says(group, "gone")
    bob.rest.delete(f"{path}/{gone['id']}")
    rows = Message.objects.filter(chat=group["id"]).order_by("seq")
    whole_second = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    rows.filter(id=first["id"]).update(created_at=whole_second)
    page = alice.rest.get(path).json()["results"]
    assert page == message_documents(rows.select_related("sender"))
    shown = next(one for one in page if one["id"] == first["id"])
    assert shown["created_at"] == "2026-11-23T09:30:00.000000Z"
    likes, party = shown["reactions"]
    assert likes == {"emoji": "👍", "user_ids": [bob.id, alice.id]}
    assert party == {"emoji": "🎉", "user_ids": [alice.id]}
    assert shown["mentions"] == [bob.id]
