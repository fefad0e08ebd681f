"""The list of one's chats."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from chatproject.testing import Person

Document = dict[str, Any]


def listed(who: Person, **query: Any) -> list[Document]:
    answer = who.rest.get("/chats", params=query)
    assert answer.status_code == 200, answer.text
    chats: list[Document] = answer.json()["results"]
    return chats


def test_a_chat_looks_the_same_in_the_list_and_alone(alice: Person, bob: Person):
    chats = [alice.group_with(bob), alice.direct_chat_with(bob)]
    bob.says(chats[0], f"hello @{alice.username}")
    alice.says(chats[1], "hello")
    for chat in listed(alice):
        assert chat == alice.rest.get(f"/chats/{chat['id']}").json()
    assert len(listed(alice)) == 2


def test_the_latest_activity_comes_first(alice: Person, bob: Person, carol: Person):
    one, two = alice.group_with(bob), alice.direct_chat_with(bob)
    three = alice.direct_chat_with(carol)
    assert [chat["id"] for chat in listed(alice)] == [three["id"], two["id"], one["id"]]
    bob.says(one, "up")
    assert [chat["id"] for chat in listed(alice)] == [one["id"], three["id"], two["id"]]
    message = alice.says(two, "up")
    alice.rest.patch(f"/chats/{two['id']}/messages/{message['id']}", json={"content": "up!"})
    assert [chat["id"] for chat in listed(alice)] == [two["id"], one["id"], three["id"]]
    assert [chat["id"] for chat in listed(bob)] == [two["id"], one["id"]]


def test_what_is_no_message_is_no_activity(alice: Person, bob: Person):
    one, two = alice.group_with(bob), alice.direct_chat_with(bob)
    message = alice.says(one, "older")
    alice.says(two, "newer")
    here = f"/chats/{one['id']}"
    alice.rest.patch(f"{here}/messages/{message['id']}", json={"content": "edited"})
    bob.rest.put(f"{here}/messages/{message['id']}/reactions/👍")
    bob.rest.post(f"{here}/read", json={"seq": 2})
    alice.rest.patch(here, json={"topic": "new", "me": {"pinned": True}})
    assert [chat["id"] for chat in listed(alice)] == [two["id"], one["id"]]


def test_the_last_message_is_the_newest_that_is_not_deleted(
    alice: Person, bob: Person, group: Document
):
    first, second = alice.says(group, "first"), bob.says(group, "second")
    assert listed(alice)[0]["last_message"] == second
    bob.rest.delete(f"/chats/{group['id']}/messages/{second['id']}")
    assert listed(alice)[0]["last_message"] == first


def test_only_ones_own_chats_are_in_it(alice: Person, bob: Person, mallory: Person):
    chat = alice.group_with(bob)
    assert [one["id"] for one in listed(bob)] == [chat["id"]]
    assert listed(mallory) == []
    bob.rest.delete(f"/chats/{chat['id']}/members/{bob.id}")
    assert listed(bob) == []


def test_pages_lead_to_every_chat_once_and_back(alice: Person):
    made = [alice.group_with(name=str(number))["id"] for number in range(7)]
    page = alice.rest.get("/chats?limit=3").json()
    assert page["previous"] is None
    pages = [page]
    while page["next"]:
        page = alice.rest.get(page["next"]).json()
        pages.append(page)
    assert [len(page["results"]) for page in pages] == [3, 3, 1]
    assert [chat["id"] for page in pages for chat in page["results"]] == made[::-1]
    assert alice.rest.get(pages[2]["previous"]).json()["results"] == pages[1]["results"]


def test_the_number_of_queries_does_not_grow_with_the_chats(alice: Person, person: Any):
    others = [person(f"p{number}") for number in range(20)]
    make_chats(alice, others[:2], groups=3)
    few = queries_for(alice, 5)
    make_chats(alice, others[2:], groups=17)
    assert queries_for(alice, 40) == few
    assert few <= 10


def make_chats(who: Person, others: list[Person], groups: int) -> None:
    """A direct chat with each, and groups, with something unread in all."""
    chats = [who.direct_chat_with(other) for other in others]
    chats += [who.group_with(others[0], others[1]) for _ in range(groups)]
    for chat in chats:
        other = next(one for one in others if chat["peer"] is None or chat["peer"]["id"] == one.id)
        message = other.says(chat, f"hello @{who.username}")
        who.rest.put(f"/chats/{chat['id']}/messages/{message['id']}/reactions/👍")


def queries_for(who: Person, chats: int) -> int:
    client = APIClient(headers=who.headers)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get("/chats")
    unread = [chat["me"]["mention_count"] for chat in answer.json()["results"]]
    assert unread == [1] * chats
    return len(captured)
