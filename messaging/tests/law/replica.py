"""A client that holds all that it may know, and keeps it true by events and by sync alone."""

import contextlib
import copy
import time
from collections.abc import Callable, Iterable
from typing import Any

from chatproject.testing import Person, SocketClient

Document = dict[str, Any]

PRESENCE = {"is_online", "last_seen"}
"""Is told to who watches it, and no part of what is held here."""
SETTLED_WITHIN = 8
"""Seconds; the server promises 5."""


class Replica:
    """What somebody holds: themselves, and of each of their chats the entry in the list, the
    members and all messages. It counts by what was told, and never asks for a count again.
    """

    def __init__(self, who: Person) -> None:
        self.who = who
        self.own: Document = {}
        self.chats: dict[str, Document] = {}
        self.messages: dict[str, dict[int, Document]] = {}
        self.members: dict[str, dict[str, Document]] = {}

    def copy(self) -> "Replica":
        twin = Replica(self.who)
        for name in ("own", "chats", "messages", "members"):
            setattr(twin, name, copy.deepcopy(getattr(self, name)))
        return twin

    @property
    def state(self) -> Document:
        chats = sorted(self.chats.values(), key=self._active_at, reverse=True)
        return {
            "own": self.own,
            "chats": [chat["id"] for chat in chats],
            **{
                key: {
                    **chat,
                    "messages": [self.messages[key][seq] for seq in sorted(self.messages[key])],
                    "members": self.members[key],
                }
                for key, chat in self.chats.items()
            },
        }

    def _active_at(self, chat: Document) -> tuple[str, str]:
        newest = self.messages[chat["id"]].get(chat["last_seq"], chat)
        return newest["created_at"], chat["id"]

    # By REST

    def load_own(self) -> None:
        self.own = shown(self._get("/users/me"))

    def load(self) -> None:
        """Everything as it is now."""
        self.load_own()
        self.chats = {chat["id"]: chat for chat in self._pages("/chats")}
        for chat in self.chats.values():
            chat["peer"] = shown(chat["peer"])
            self._load_rows(chat["id"])

    def _load_rows(self, chat_id: str) -> None:
        members = self._pages(f"/chats/{chat_id}/members")
        self.members[chat_id] = {one["user"]["id"]: without_presence(one) for one in members}
        self.messages[chat_id] = {one["seq"]: one for one in self._history(chat_id)}

    def _history(self, chat_id: str) -> list[Document]:
        path, found = f"/chats/{chat_id}/messages", []
        while True:
            page = self._get(path, after=found[-1]["seq"] if found else 0, limit=200)
            found += page["results"]
            if not page["has_after"]:
                return found

    def _pages(self, path: str) -> list[Document]:
        page = self._get(path, limit=200)
        assert page["next"] is None
        results: list[Document] = page["results"]
        return results

    def _get(self, path: str, **query: Any) -> Document:
        answer = self.who.rest.get(path, params=query)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        document: Document = answer.json()
        return document

    # By events

    def listen(self, socket: SocketClient) -> None:
        """To this socket from now on, from its first frame."""
        self._socket, self._heard = socket, 0

    async def settle(self, is_done: Callable[[], bool]) -> None:
        """Takes what comes until this is so; for 8 seconds at most."""
        deadline = time.monotonic() + SETTLED_WITHIN
        self.take_heard()
        while not is_done() and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                await self._socket.until(lambda frame: True, deadline - time.monotonic())
            self.take_heard()

    def take_heard(self) -> None:
        heard, self._heard = self._socket.frames[self._heard :], len(self._socket.frames)
        for event in heard:
            self.take(event)

    def take(self, event: Document) -> None:
        """One frame that a socket sent. Raises AssertionError where a version is missing."""
        if event["type"] not in ("ok", "error") and self._is_news(event):
            takers = {"message": self._take_message, "member": self._take_member_event}
            kind = event["type"].partition(".")[0]
            take = takers.get(kind) or getattr(self, f"_take_{event['type'].replace('.', '_')}")
            take(event)

    def _is_news(self, event: Document) -> bool:
        """Counts a numbered event. Any may come twice."""
        chat = self.chats.get(event.get("chat_id", ""))
        if "chat_id" in event and chat is None:
            assert "version" not in event, f"of a chat that is not held: {event}"
            return False
        if chat is None or "version" not in event:
            return True
        if event["version"] <= chat["version"]:
            return False
        assert event["version"] == chat["version"] + 1, f"after {chat['version']} came {event}"
        chat["version"] = event["version"]
        return True

    def _take_hello(self, event: Document) -> None:
        self.own = shown(event["user"])

    def _take_message(self, event: Document) -> None:
        self._keep(event["message"])
        self._count(event["chat_id"])

    def _keep(self, message: Document) -> None:
        held = self.messages[message["chat_id"]]
        if message["version"] > held.get(message["seq"], {"version": 0})["version"]:
            held[message["seq"]] = message

    def _count(self, chat_id: str) -> None:
        """What a client works out by itself from the messages and its mark."""
        chat, messages = self.chats[chat_id], self.messages[chat_id]
        there = [one for one in messages.values() if not one["deleted_at"]]
        unread = [one for one in there if self._is_unread(one, chat["me"]["last_read_seq"])]
        mentioning = [one for one in unread if self.who.id in one["mentions"]]
        chat["last_seq"] = max(messages, default=0)
        chat["last_message"] = max(there, key=lambda one: one["seq"], default=None)
        chat["me"] |= {"unread_count": len(unread), "mention_count": len(mentioning)}

    def _is_unread(self, message: Document, mark: int) -> bool:
        return message["seq"] > mark and message["sender_id"] not in (None, self.who.id)

    def _take_member_event(self, event: Document) -> None:
        self._keep_member(event["chat_id"], event["member"])

    def _keep_member(self, chat_id: str, member: Document) -> None:
        members, key = self.members[chat_id], member["user"]["id"]
        if member["left_at"]:
            members.pop(key, None)
        else:
            members[key] = without_presence(member)
        chat = self.chats[chat_id]
        chat["member_count"] = len(members)
        if key == self.who.id:
            chat["me"]["role"] = member["role"]

    def _take_chat_created(self, event: Document) -> None:
        """Of a chat that is not held the rows are read, as the tour of the API has it."""
        chat = {**event["chat"], "peer": shown(event["chat"]["peer"])}
        held = self.chats.setdefault(chat["id"], chat)
        assert chat["version"] <= held["version"]
        if held is chat:
            self._load_rows(chat["id"])

    def _take_chat_updated(self, event: Document) -> None:
        self.chats[event["chat_id"]] |= event["chat"]

    def _take_chat_removed(self, event: Document) -> None:
        self._forget(event["chat_id"])

    def _forget(self, chat_id: str) -> None:
        for held in (self.chats, self.messages, self.members):
            held.pop(chat_id, None)

    def _take_superseded(self, event: Document) -> None:
        """It only keeps the count."""

    def _take_typing(self, event: Document) -> None:
        """It passes."""

    def _take_presence(self, event: Document) -> None:
        """It is not held here."""

    def _take_me_updated(self, event: Document) -> None:
        """The counts that it brings are those of the messages told before it."""
        chat_id = event["chat_id"]
        self.chats[chat_id]["me"] = dict(event["me"])
        self._move_mark(chat_id, self.who.id, event["me"]["last_read_seq"])
        self._count(chat_id)
        assert self.chats[chat_id]["me"] == event["me"]

    def _take_read(self, event: Document) -> None:
        self._move_mark(event["chat_id"], event["user_id"], event["seq"])

    def _move_mark(self, chat_id: str, user_id: str, seq: int) -> None:
        """Who hides theirs has none."""
        member = self.members[chat_id].get(user_id)
        if member and member["last_read_seq"] is not None:
            member["last_read_seq"] = seq

    def _take_user_updated(self, event: Document) -> None:
        user = shown(event["user"])
        if user["id"] == self.who.id:
            self.own |= user
        for chat in self.chats.values():
            if chat["peer"] and chat["peer"]["id"] == user["id"]:
                chat["peer"] = user
            self._rename(chat["id"], user)

    def _rename(self, chat_id: str, user: Document) -> None:
        if user["id"] in self.members[chat_id]:
            self.members[chat_id][user["id"]]["user"] = user
        for message in self.messages[chat_id].values():
            if message["sender_id"] == user["id"]:
                message["sender"] = {name: user[name] for name in message["sender"]}
        self._count(chat_id)

    # By sync

    async def sync(self, socket: SocketClient, also: Iterable[str] = ()) -> None:
        """Catches up as after an absence, in which less than 500 things changed.

        ``also`` names chats that there may be besides: it saves asking for those.
        """
        held = {chat["id"]: chat["version"] for chat in self.chats.values()}
        known = dict.fromkeys(also, 0) | held
        answer = await _sync(socket, known)
        if new := {chat["id"] for chat in answer["chats"]} - known.keys():
            answer = await _sync(socket, known | dict.fromkeys(new, 0))
        self._take_sync(answer)

    def _take_sync(self, answer: Document) -> None:
        for chat_id in answer["gone"]:
            self._forget(chat_id)
        behind = {change["chat_id"] for change in answer["changes"]}
        for chat in answer["chats"]:
            held = self.chats.get(chat["id"], {"version": 0})
            assert (chat["version"] > held["version"]) == (chat["id"] in behind)
            self.chats[chat["id"]] = {**chat, "peer": shown(chat["peer"])}
            self.messages.setdefault(chat["id"], {})
            self.members.setdefault(chat["id"], {})
        for change in answer["changes"]:
            self._take_change(**change)
        for chat_id, chat in self.chats.items():
            self._move_mark(chat_id, self.who.id, chat["me"]["last_read_seq"])

    def _take_change(
        self, *, chat_id: str, members: Any, messages: Any, version: int, complete: bool
    ) -> None:
        assert complete
        assert version == self.chats[chat_id]["version"]
        told = copy.deepcopy(self.chats[chat_id])
        for member in members:
            self._keep_member(chat_id, member)
        for message in messages:
            self._keep(message)
        self._count(chat_id)
        assert self.chats[chat_id] == told


async def _sync(socket: SocketClient, known: dict[str, int]) -> Document:
    answer = await socket.ask("sync", chats=known)
    assert answer["type"] == "ok", answer
    return answer


def shown(user: Document | None) -> Any:
    """A person without what comes and goes."""
    return user and {name: user[name] for name in user.keys() - PRESENCE}


def without_presence(member: Document) -> Document:
    return {**member, "user": shown(member["user"])}
