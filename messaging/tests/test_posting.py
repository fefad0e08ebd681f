"""Sending messages, through every door."""

import asyncio
from typing import Any

from chatproject.testing import Person


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
