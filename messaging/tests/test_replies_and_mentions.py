"""Replies, and who is mentioned: what readers see and what the counts say."""

from typing import Any

from chatproject.testing import Person


def _me(who: Person, chat: dict[str, Any]) -> dict[str, Any]:
    me: dict[str, Any] = who.rest.get(f"/chats/{chat['id']}").json()["me"]
    return me


def _path(message: dict[str, Any]) -> str:
    return f"/chats/{message['chat_id']}/messages/{message['id']}"


def test_a_reply_names_a_message_of_the_same_chat(alice: Person, bob: Person):
    chat, other = alice.group_with(bob), alice.group_with(bob)
    first, elsewhere = bob.says(chat, "question"), bob.says(other, "elsewhere")
    reply = alice.says(chat, "answer", reply_to=first["id"])
    assert reply["reply_to"] == first["id"]
    answer = alice.rest.post(
        f"/chats/{chat['id']}/messages", json={"content": "x", "reply_to": elsewhere["id"]}
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "reply_to"
    assert alice.says(chat, "no reply", reply_to=None)["reply_to"] is None


def test_a_reply_outlives_what_it_answers(alice: Person, bob: Person, group: dict[str, Any]):
    first = bob.says(group, "question")
    before = alice.says(group, "answer", reply_to=first["id"])
    bob.rest.delete(_path(first))
    after = alice.says(group, "another", reply_to=first["id"])
    assert before["reply_to"] == after["reply_to"] == first["id"]


def test_present_members_are_mentioned_whatever_the_case(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    text = (
        f"@{bob.username.upper()}. and @{alice.username}, not @{mallory.username}, x@{bob.username}"
    )
    message = alice.says(group, text)
    assert message["mentions"] == [bob.id, alice.id]
    assert message["html"].count(bob.id) == 1
    assert mallory.id not in message["html"]


def test_who_left_is_mentioned_no_more(alice: Person, bob: Person, group: dict[str, Any]):
    assert alice.says(group, f"@{bob.username}")["mentions"] == [bob.id]
    alice.rest.delete(f"/chats/{group['id']}/members/{bob.id}")
    assert alice.says(group, f"@{bob.username}")["mentions"] == []


def test_the_longest_name_wins(alice: Person, bob: Person, person: Any):
    longer = person("x")
    longer.user.username = f"{bob.username}.x"
    longer.user.save()
    chat = alice.group_with(bob, longer)
    assert alice.says(chat, f"@{bob.username}.x")["mentions"] == [longer.id]
    assert alice.says(chat, f"@{bob.username}.")["mentions"] == [bob.id]


def test_unread_mentions_are_counted_until_read(alice: Person, bob: Person, group: dict[str, Any]):
    alice.says(group, f"@{bob.username}")
    alice.says(group, "nobody")
    last = alice.says(group, f"again @{bob.username} @{bob.username}")
    me = _me(bob, group)
    assert (me["unread_count"], me["mention_count"]) == (3, 2)
    read = bob.rest.post(f"/chats/{group['id']}/read", json={"seq": last["seq"] - 1}).json()
    assert (read["unread_count"], read["mention_count"]) == (1, 1)
    read = bob.rest.post(f"/chats/{group['id']}/read", json={"seq": last["seq"]}).json()
    assert (read["unread_count"], read["mention_count"]) == (0, 0)


def test_mentioning_oneself_is_no_unread_mention(alice: Person, bob: Person):
    chat = alice.group_with(bob)
    message = alice.says(chat, f"I am @{alice.username}")
    assert message["mentions"] == [alice.id]
    alice.rest.patch(_path(message), json={"content": f"I was @{alice.username}"})
    me = _me(alice, chat)
    assert (me["unread_count"], me["mention_count"]) == (0, 0)


def test_an_edit_makes_the_mentions_anew(alice: Person, bob: Person, carol: Person):
    chat = alice.group_with(bob, carol)
    message = alice.says(chat, f"@{bob.username}")
    assert (_me(bob, chat)["mention_count"], _me(carol, chat)["mention_count"]) == (1, 0)
    edited = alice.rest.patch(_path(message), json={"content": f"@{carol.username}"}).json()
    assert edited["mentions"] == [carol.id]
    assert (_me(bob, chat)["mention_count"], _me(carol, chat)["mention_count"]) == (0, 1)


def test_a_large_batch_of_names_is_looked_up_and_only_members_are_found(
    alice: Person, bob: Person, group: dict[str, Any]
):
    crowd = " ".join(f"@nobody{number}" for number in range(45))
    assert alice.says(group, f"{crowd} @{bob.username}")["mentions"] == [bob.id]
