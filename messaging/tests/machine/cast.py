"""The people of the machine: what they ask by either door, and what each of them holds."""

import asyncio
import contextlib
import re
from typing import Any

from chatproject.ids import new_id
from chatproject.testing import Person, Server, SocketClient
from messaging.tests.law.cases import without_marks
from messaging.tests.law.replica import Document, Replica
from messaging.tests.machine.model import Room

REQUESTS = {
    "message.send": "POST /chats/{chat_id}/messages",
    "message.edit": "PATCH /chats/{chat_id}/messages/{message_id}",
    "message.delete": "DELETE /chats/{chat_id}/messages/{message_id}",
    "reaction.add": "PUT /chats/{chat_id}/messages/{message_id}/reactions/{emoji}",
    "reaction.remove": "DELETE /chats/{chat_id}/messages/{message_id}/reactions/{emoji}",
    "read": "POST /chats/{chat_id}/read",
    "unread": "POST /chats/{chat_id}/unread",
}
"""What a frame is by REST."""
STATUSES = {"not_found": 404, "permission_denied": 403, "conflict": 409}


Answer = tuple[int, Document]


class Cast:
    """Some people by name, each with a socket and a replica that hears it."""

    def __init__(self, server: Server, names: list[str]) -> None:
        self.runner = asyncio.Runner()
        self.people = {name: Person(server, name) for name in names}
        self.names = {person.id: name for name, person in self.people.items()}
        self.replicas = {name: Replica(person) for name, person in self.people.items()}
        self.sockets: dict[str, tuple[SocketClient, contextlib.AsyncExitStack]] = {}
        self._ids: dict[tuple[str, int], str] = {}
        for name in names:
            self.come_back(name)

    def close(self) -> None:
        for name in list(self.sockets):
            self.cut(name)
        self.runner.close()
        for person in self.people.values():
            person.rest.close()

    # Sockets

    def cut(self, name: str) -> None:
        socket, at_the_end = self.sockets.pop(name)
        socket.ws.transport.abort()
        self.runner.run(at_the_end.aclose())

    def come_back(self, name: str) -> None:
        self.runner.run(self._come_back(name))

    async def _come_back(self, name: str) -> None:
        at_the_end = contextlib.AsyncExitStack()
        socket = await at_the_end.enter_async_context(self.people[name].socket())
        self.sockets[name] = (socket, at_the_end)
        self.replicas[name].listen(socket)
        await self.replicas[name].sync(socket)

    # Asking

    def request(self, name: str, method: str, path: str, /, **body: Any) -> Answer:
        """The status, and the document if there is one."""
        json = {"json": body} if body else {}
        answer = self.people[name].rest.request(method, path, **json)
        return answer.status_code, answer.json() if answer.content else {}

    def ask(self, name: str, kind: str, /, *, by_rest: bool, **fields: Any) -> Answer:
        """What a frame says, by it or by REST; by REST if there is no socket."""
        if name in self.sockets and not by_rest:
            return answered(self.runner.run(self.sockets[name][0].ask(kind, **fields)))
        method, path = REQUESTS[kind].split()
        body = {key: value for key, value in fields.items() if f"{{{key}}}" not in path}
        return self.request(name, method, path.format_map(fields), **body)

    def say_twice(self, name: str, **fields: Any) -> list[Answer]:
        """A message by both doors at the same time."""
        socket = self.sockets[name][0]
        ref = f"twice {len(socket.frames)}"
        self.runner.run(socket.send("message.send", ref=ref, **fields))
        answer = self.ask(name, "message.send", by_rest=True, **fields)
        other = self.runner.run(socket.until(lambda frame: frame.get("ref") == ref))
        return [answer, answered(other)]

    def written(self, text: str) -> str:
        """With the usernames of whom it mentions."""
        return re.sub(r"@(\w+)", lambda found: f"@{self.people[found[1]].username}", text)

    def id_of(self, room: Room, seq: int) -> str:
        """A message's id; where nobody can say it any more, one of no message."""
        if (room.id, seq) not in self._ids and room.said and room.present:
            path = f"/chats/{room.id}/messages?after={seq - 1}&limit=1"
            _, page = self.request(next(iter(room.present)), "GET", path)
            return self.same_id(room.id, seq, page["results"][0]["id"])
        return self._ids.get((room.id, seq)) or str(new_id())

    def same_id(self, chat_id: str, seq: int, message_id: str) -> str:
        """Which no other message ever has."""
        assert self._ids.setdefault((chat_id, seq), message_id) == message_id
        return message_id

    # Seeing

    def hear(self, name: str, rooms: list[Room]) -> None:
        """Takes what comes until somebody holds what the model has."""
        replica, expected = self.replicas[name], expected_by(name, rooms)
        self.runner.run(replica.settle(lambda: self.facts(replica) == expected))
        assert self.facts(replica) == expected, name

    def look(self, name: str, rooms: list[Room]) -> None:
        """REST has what the model has and, if they are there, what they hold in every field."""
        now = Replica(self.people[name])
        now.load()
        assert self.facts(now) == expected_by(name, rooms), name
        if name in self.sockets:
            now.own = self.replicas[name].own
            assert without_marks(self.replicas[name].state) == without_marks(now.state), name

    def facts(self, replica: Replica) -> dict[str, Any]:
        """By chat, what of it the model has, too."""
        return {key: self._facts_of_chat(replica, chat) for key, chat in replica.chats.items()}

    def _facts_of_chat(self, replica: Replica, chat: Document) -> Document:
        messages, members = replica.messages[chat["id"]], replica.members[chat["id"]]
        assert chat["member_count"] == len(members)
        me = ("role", "last_read_seq", "unread_count", "mention_count", "pinned")
        seqs = {one["id"]: seq for seq, one in messages.items()}
        return {
            **{key: chat[key] for key in ("name", "topic", "version", "last_seq")},
            "last_message": chat["last_message"] and chat["last_message"]["seq"],
            "me": {key: chat["me"][key] for key in me},
            "members": {self.names[key]: one["role"] for key, one in members.items()},
            "messages": [self.facts_of(messages[seq], seqs) for seq in sorted(messages)],
        }

    def facts_of(self, message: Document, seqs: dict[str, int]) -> Document:
        """``seqs`` by id: of those that may be replied to."""
        self.same_id(message["chat_id"], message["seq"], message["id"])
        content = message["content"]
        for person, name in ((one, name) for name, one in self.people.items()):
            content = content.replace(f"@{person.username}", f"@{name}")
        return {
            **{key: message[key] for key in ("seq", "version", "client_id")},
            "sender": self.names.get(message["sender_id"]),
            "content": None if message["system"] else content,
            "reply_to": seqs.get(message["reply_to"]),
            "mentions": sorted(self.names[one] for one in message["mentions"]),
            "system": message["system"] and message["system"]["kind"],
            "reactions": [
                (one["emoji"], [self.names[user] for user in one["user_ids"]])
                for one in message["reactions"]
            ],
            "is_edited": message["edited_at"] is not None,
            "is_deleted": message["deleted_at"] is not None,
        }


def answered(frame: Document) -> Answer:
    """With the status that REST would have answered, and the message if there is one."""
    if frame["type"] == "ok":
        return 200, frame.get("message", {})
    return STATUSES.get(frame["errors"][0]["code"], 400), frame


def expected_by(name: str, rooms: list[Room]) -> dict[str, Any]:
    return {room.id: room.facts(name) for room in rooms if name in room.present}
