"""Reactions: one emoji of one person on one message."""

from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from chatproject.testing import Person
from messaging.emojis import emoji_key
from messaging.models import Reaction

KINDS = "😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔"


def _path(message: dict[str, Any], emoji: str) -> str:
    where = f"/chats/{message['chat_id']}/messages/{message['id']}"
    return f"{where}/reactions/{quote(emoji, safe='')}"


def _frame(message: dict[str, Any], emoji: Any) -> dict[str, Any]:
    return {"chat_id": message["chat_id"], "message_id": message["id"], "emoji": emoji}


def _stored(who: Person, message: dict[str, Any]) -> dict[str, Any]:
    path = f"/chats/{message['chat_id']}/messages"
    found: list[dict[str, Any]] = who.rest.get(path, params={"limit": 200}).json()["results"]
    return next(one for one in found if one["id"] == message["id"])


def _react(message: dict[str, Any], user_ids: list[Any], emojis: str) -> None:
    Reaction.objects.bulk_create(
        Reaction(message_id=message["id"], user_id=user_id, emoji=emoji, emoji_key=emoji)
        for emoji in emojis
        for user_id in user_ids
    )


def test_each_emoji_is_listed_once_in_order_with_who_gave_it(
    alice: Person, bob: Person, group: dict[str, Any]
):
    message = alice.says(group, "party")
    bob.rest.put(_path(message, "🎉"))
    alice.rest.put(_path(message, "👍"))
    answer = alice.rest.put(_path(message, "🎉"))
    assert answer.status_code == 200
    assert answer.json() == {
        **message,
        "version": message["version"] + 3,
        "reactions": [
            {"emoji": "🎉", "user_ids": [bob.id, alice.id]},
            {"emoji": "👍", "user_ids": [alice.id]},
        ],
    }
    assert _stored(bob, message) == answer.json()


async def test_adding_and_removing_over_the_socket(alice: Person, group: dict[str, Any]):
    message = alice.says(group, "party")
    async with alice.socket() as socket:
        added = await socket.ask("reaction.add", **_frame(message, "🎉"))
        assert added["message"]["reactions"] == [{"emoji": "🎉", "user_ids": [alice.id]}]
        removed = await socket.ask("reaction.remove", **_frame(message, "🎉"))
        assert removed["message"]["reactions"] == []
        assert removed["message"]["version"] == message["version"] + 2


def test_a_repeat_changes_nothing(alice: Person, group: dict[str, Any]):
    message = alice.says(group, "party")
    assert alice.rest.delete(_path(message, "🎉")).json() == message
    added = alice.rest.put(_path(message, "🎉")).json()
    assert alice.rest.put(_path(message, "🎉")).json() == added
    alice.rest.delete(_path(message, "🎉"))
    again = alice.rest.delete(_path(message, "🎉"))
    assert again.status_code == 200
    assert again.json()["version"] == message["version"] + 2


def test_the_variation_selector_makes_no_other_emoji_and_the_first_spelling_stays(
    alice: Person, bob: Person, group: dict[str, Any]
):
    message = alice.says(group, "love")
    alice.rest.put(_path(message, "❤️"))
    both = bob.rest.put(_path(message, "❤")).json()
    assert both["reactions"] == [{"emoji": "❤️", "user_ids": [alice.id, bob.id]}]
    assert alice.rest.put(_path(message, "❤")).json()["version"] == both["version"]
    left = alice.rest.delete(_path(message, "❤")).json()
    assert left["reactions"] == [{"emoji": "❤️", "user_ids": [bob.id]}]


@pytest.mark.parametrize("emoji", ["#️⃣", "🇩🇪", "👩‍👩‍👧‍👦", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏳️‍🌈"])
def test_an_emoji_of_several_code_points_is_one(alice: Person, group: dict[str, Any], emoji: str):
    message = alice.says(group, "party")
    answer = alice.rest.put(_path(message, emoji))
    assert answer.json()["reactions"] == [{"emoji": emoji, "user_ids": [alice.id]}]
    assert alice.rest.delete(_path(message, emoji)).json()["reactions"] == []


def test_a_twenty_first_kind_is_refused_but_not_more_of_the_twenty(
    alice: Person, bob: Person, group: dict[str, Any]
):
    message = alice.says(group, "party")
    assert all(emoji_key(emoji) == emoji for emoji in KINDS)
    _react(message, [alice.id], KINDS[:19])
    assert alice.rest.put(_path(message, KINDS[19])).status_code == 200
    answer = bob.rest.put(_path(message, KINDS[20]))
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "conflict"
    assert bob.rest.put(_path(message, KINDS[0])).status_code == 200


def test_a_message_takes_a_thousand_reactions(alice: Person, bob: Person, group: dict[str, Any]):
    message = alice.says(group, "party")
    crowd = User.objects.bulk_create(
        User(username=f"{alice.username}.{number}", email=f"{number}@{alice.username}.example")
        for number in range(50)
    )
    _react(message, [user.id for user in crowd], KINDS[:20])
    Reaction.objects.filter(message=message["id"]).last().delete()
    thousandth = bob.rest.put(_path(message, KINDS[0]))
    assert thousandth.status_code == 200
    assert sum(len(one["user_ids"]) for one in thousandth.json()["reactions"]) == 1_000
    assert alice.rest.put(_path(message, KINDS[0])).status_code == 409
    assert bob.rest.put(_path(message, KINDS[0])).json() == thousandth.json()


def test_history_reads_all_reactions_in_one_query(alice: Person, group: dict[str, Any]):
    client = APIClient(headers=alice.headers)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/chats/{group['id']}/messages").status_code == 200
        counts.append(len(queries))
        for number in range(10):
            _react(alice.says(group, str(number)), [alice.id], KINDS[:5])
    assert counts[0] == counts[1]
