"""Every request and every frame that changes something, and what of it is not told."""

from collections.abc import Callable
from typing import Any, NamedTuple

from messaging.tests.law.replica import Document


class Part(NamedTuple):
    """A part of the state of which the protocol does not tell everything."""

    reason: str
    strip: Callable[[Document], Document]


def without_own(state: Document) -> Document:
    return {**state, "own": {}}


def without_marks(state: Document) -> Document:
    return _with_members(state, last_read_seq=None)


def without_names(state: Document) -> Document:
    state = _with_members(state, user=None)
    for key in state["chats"]:
        messages = [{**one, "sender": None} for one in state[key]["messages"]]
        state[key] = {**state[key], "messages": messages}
    return state


def _with_members(state: Document, **facts: Any) -> Document:
    found = dict(state)
    for key in state["chats"]:
        members = state[key]["members"].items()
        found[key] = {**state[key], "members": {who: one | facts for who, one in members}}
    return found


OWN = Part("`hello` and `GET /users/me` have address and settings, no event does.", without_own)
MARKS = Part("Others hear of a mark by `read` alone, forward, and not by sync.", without_marks)
NAMES = Part("A new name is told by `user.updated` alone, and not by sync.", without_names)

NO_STATE = {
    "POST /auth/register": "Nobody hears of a new account; people are searched, not held.",
    "POST /auth/login": "A sign-in is no state of chats; another socket says hello.",
    "POST /auth/refresh": "Tokens are held by who got them.",
    "POST /auth/logout": "It ends sockets: nothing is told over them.",
    "POST /auth/password": "It ends the other sockets: nothing is told over them.",
}


class Case(NamedTuple):
    """Somebody's request, or frame where ``ask`` has no address. ``{name}`` is put in."""

    who: str
    ask: str
    body: Document = {}
    chat: str = "group"
    about: str = "dora"
    untold: tuple[Part, ...] = ()
    unsynced: tuple[Part, ...] = ()


SEND, EDIT, DELETE = (
    "POST /chats/{chat_id}/messages",
    "PATCH /chats/{chat_id}/messages/{message_id}",
    "DELETE /chats/{chat_id}/messages/{message_id}",
)
REACT, UNREACT = (
    f"{method} /chats/{{chat_id}}/messages/{{message_id}}/reactions/{{emoji}}"
    for method in ("PUT", "DELETE")
)
READ, UNREAD = "POST /chats/{chat_id}/read", "POST /chats/{chat_id}/unread"
OPEN, CHANGE, END = "POST /chats", "PATCH /chats/{chat_id}", "DELETE /chats/{chat_id}"
ADD = "POST /chats/{chat_id}/members"
GIVE_ROLE, REMOVE = (
    f"{method} /chats/{{chat_id}}/members/{{user_id}}" for method in ("PATCH", "DELETE")
)
PROFILE = "PATCH /users/me"

CASES = {
    "what is said by REST": [
        Case("bob", SEND, {"content": "Who is in, @{alice_name}?", "client_id": "1"}),
        Case("bob", SEND, {"content": "again", "client_id": "1"}),
        Case("alice", SEND, {"content": "I am, @{bob_name}", "reply_to": "{message_id}"}),
        Case("alice", SEND, {"content": "only us"}, chat="direct"),
        Case("bob", SEND, {"content": "@{alice_name} *x*"}),
        Case("alice", REACT),
        Case("bob", REACT),
        Case("bob", REACT),
        Case("alice", UNREACT),
        Case("bob", EDIT, {"content": "nobody is meant"}),
        Case("bob", EDIT, {"content": "@{alice_name} is, after all"}),
        Case("alice", DELETE),
        Case("bob", SEND, {"content": "soon to go"}, chat="direct"),
        Case("bob", DELETE, chat="direct"),
    ],
    "what is said by frames": [
        Case("bob", "message.send", {"content": "Who is in, @{alice_name}?", "client_id": "1"}),
        Case("bob", "message.send", {"content": "again", "client_id": "1"}),
        Case("alice", "message.send", {"content": "@{bob_name}", "reply_to": "{message_id}"}),
        Case("bob", "message.send", {"content": "only us"}, chat="direct"),
        Case("alice", "message.send", {"content": "@{bob_name} *x*"}),
        Case("bob", "reaction.add", {"emoji": "🎉"}),
        Case("alice", "reaction.add", {"emoji": "🎉"}),
        Case("bob", "reaction.remove", {"emoji": "🎉"}),
        Case("alice", "message.edit", {"content": "nobody"}),
        Case("alice", "message.delete"),
        Case("bob", "typing"),
        Case("bob", "presence.watch", {"user_ids": ["{alice}"]}),
        Case("bob", "sync", {"chats": {}}),
        Case("bob", "auth", {"token": "{bob_token}"}),
        Case("bob", "ping"),
    ],
    "marks": [
        Case("bob", SEND, {"content": "one @{alice_name}"}),
        Case("bob", SEND, {"content": "two"}),
        Case("alice", READ, {"seq": "{seq}"}, unsynced=(MARKS,)),
        Case("alice", READ, {"seq": 1}),
        Case("alice", UNREAD, {"seq": 2}, untold=(MARKS,), unsynced=(MARKS,)),
        Case("bob", DELETE),
        Case("bob", "read", {"seq": "{seq}"}, unsynced=(MARKS,)),
        Case("bob", "unread", {"seq": "{seq}"}, untold=(MARKS,), unsynced=(MARKS,)),
        Case("bob", CHANGE, {"me": {"pinned": True, "notify": "mentions"}}),
        Case("bob", CHANGE, {"me": {"muted_until": "2100-01-01T00:00:00.000000Z"}}),
        Case("bob", CHANGE, {"me": {"muted_until": None}}, chat="direct"),
    ],
    "chats": [
        Case("bob", OPEN, {"type": "direct", "members": ["{dora}"]}),
        Case("dora", SEND, {"content": "hello @{bob_name}"}, chat="new"),
        Case("dora", OPEN, {"type": "direct", "members": ["{bob}"]}),
        Case("dora", OPEN, {"type": "group", "name": "All", "members": ["{bob}", "{alice}"]}),
        Case("bob", SEND, {"content": "nice"}, chat="new"),
        Case("dora", CHANGE, {"name": "Us"}, chat="new"),
        Case("dora", CHANGE, {"name": "We", "topic": "Who?"}, chat="new"),
        Case("dora", CHANGE, {"topic": None}, chat="new"),
        Case("dora", CHANGE, {"topic": "All", "me": {"pinned": True}}, chat="new"),
        Case("dora", END, chat="new"),
        Case("dora", OPEN, {"type": "group", "name": "Alone"}),
        Case("dora", REMOVE, chat="new"),
    ],
    "seats": [
        Case("alice", ADD, {"user_ids": ["{dora}"]}),
        Case("alice", ADD, {"user_ids": ["{dora}", "{bob}"]}),
        Case("dora", SEND, {"content": "hello @{bob_name}"}),
        Case("alice", GIVE_ROLE, {"role": "admin"}),
        Case("dora", REMOVE),
        Case("bob", SEND, {"content": "@{dora_name} is gone"}),
        Case("alice", ADD, {"user_ids": ["{dora}"]}),
        Case("bob", SEND, {"content": "@{dora_name} is back"}),
        Case("alice", REMOVE),
        Case("alice", GIVE_ROLE, {"role": "owner"}, about="bob"),
        Case("bob", GIVE_ROLE, {"role": "member"}, about="alice"),
        Case("bob", ADD, {"user_ids": ["{dora}"]}),
        Case("bob", REMOVE, about="bob"),
    ],
    "people": [
        Case("alice", SEND, {"content": "hello @{bob_name}"}),
        Case("bob", SEND, {"content": "only us"}, chat="direct"),
        Case("bob", PROFILE, {"display_name": "Robert"}, unsynced=(NAMES, OWN)),
        Case("bob", PROFILE, {"email": "{bob_name}@example.net"}, untold=(OWN,), unsynced=(OWN,)),
        Case(
            "bob",
            PROFILE,
            {"settings": {"shows_read": False}},
            untold=(OWN, MARKS),
            unsynced=(OWN, MARKS),
        ),
        Case("bob", READ, {"seq": "{seq}"}, chat="direct"),
    ],
}
