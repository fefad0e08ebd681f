"""The stage on which bad input is tried: what it could spoil, and how it is sent."""

import contextlib
import re
from datetime import timedelta
from typing import Any

import httpx
import jwt
from django.conf import settings
from django.db import connection
from websockets.sync.client import ClientConnection, connect

from accounts.actions import end_sign_ins, set_active, start_sign_in
from accounts.models import SignIn, User
from accounts.tokens import access_token
from chatproject.ids import new_id
from chatproject.testing import PASSWORD, Person, Server, contract
from chatproject.testing.frames import Dialogue
from chatproject.tests.bad_input.table import Case
from chats.models import Chat, Membership
from messaging.models import Mention, Message, Reaction


class Stage:
    """Alice's group with Bob in it, their direct chat, and something of everything to spoil."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.people = {name: Person(server, name) for name in ("alice", "bob", "mallory")}
        self.clients = {name: person.rest for name, person in self.people.items()}
        self.clients["anybody"] = httpx.Client(
            base_url=server.url, timeout=30, event_hooks=contract.HOOKS
        )
        self.sockets: dict[str, ClientConnection] = {}
        self.at_the_end = contextlib.ExitStack()
        for client in self.clients.values():
            self.at_the_end.callback(client.close)
        self.names = self._people_named() | self._things_named() | _tokens(self.people["alice"])
        self.reads = self._reads()

    def _people_named(self) -> dict[str, str]:
        alice, bob = self.people["alice"], self.people["bob"]
        retired = Person(self.server, "retired")
        retired.rest.close()
        set_active(users=[retired.user], is_active=False)
        return {
            **{name: person.id for name, person in self.people.items()},
            "retired": retired.id,
            "nobody": str(new_id()),
            "bob_bare": bob.user.id.hex,
            "alice_username": alice.username,
            "alice_email": alice.user.email,
            "bob_username": bob.username,
            "bob_email": bob.user.email,
            "bobs_access": bob.access,
            "password": PASSWORD,
        }

    def _things_named(self) -> dict[str, str]:
        alice, bob = self.people["alice"], self.people["bob"]
        group, direct = alice.group_with(bob), alice.direct_chat_with(bob)
        here = f"/chats/{group['id']}/messages"
        message, deleted = alice.says(group, f"Ahoy @{bob.username}"), alice.says(group, "Oops")
        alice.rest.delete(f"{here}/{deleted['id']}").raise_for_status()
        bob.rest.put(f"{here}/{message['id']}/reactions/👍").raise_for_status()
        return {
            "chat": group["id"],
            "chat_bare": group["id"].replace("-", ""),
            "direct": direct["id"],
            "message": message["id"],
            "deleted": deleted["id"],
            "bobs": bob.says(group, "Aye")["id"],
            "note": alice.says(direct, "Just us")["id"],
            "system": alice.rest.get(here).json()["results"][0]["id"],
        }

    def filled(self, text: str) -> bytes:
        """The text of the table with its names, repetitions and bytes put in."""
        text = re.sub(r"\{([a-z_]+)\}", lambda found: self.names[found[1]], text)
        repeated = r"\{(\{?[^\s{}]+|[{}])\*([0-9]+)\}"
        text = re.sub(repeated, lambda found: found[1] * int(found[2]), text)
        one_byte = rb"\\x([0-9a-f]{2})"
        return re.sub(one_byte, lambda found: bytes.fromhex(found[1].decode()), text.encode())

    def request(self, case: Case) -> httpx.Response:
        headers = {"Content-Type": b"application/json"} if case.body else {}
        headers |= {name: self.filled(value) for name, value in case.headers}
        path, body = self.filled(case.path).decode(), self.filled(case.body) or None
        client = self.clients[case.who]
        return client.request(case.method, path, content=body, headers=headers)

    def frame(self, case: Case) -> dict[str, Any]:
        """The one answer to the frame, and that the socket is still open after it."""
        socket = self.sockets.pop(case.who, None) or self._opened(case.who)
        dialogue = Dialogue()
        for text in (self.filled(case.body).decode(), '{"type": "ping", "ref": "behind it"}'):
            dialogue.sent(text)
            socket.send(text)
        answers: list[dict[str, Any]] = []
        while not answers or answers[-1].get("ref") != "behind it":
            told = dialogue.received(socket.recv(10))
            answers += [told] if told["type"] in ("ok", "error") else []
        self.sockets[case.who] = socket
        assert [one["type"] for one in answers] == ["error", "ok"], answers
        return answers[0]

    def _opened(self, who: str) -> ClientConnection:
        url = f"{self.server.url}/ws".replace("http", "ws")
        headers = self.people[who].headers
        return self.at_the_end.enter_context(connect(url, additional_headers=headers))

    def _reads(self) -> list[Any]:
        """What reads all rows of these people and their chats, as SQL: that is quick."""
        ids = [self.names["chat"], self.names["direct"]]
        people = User.objects.filter(id__in=[one.user.id for one in self.people.values()])
        lasting = [field.name for field in User._meta.concrete_fields if field.name != "last_seen"]
        rows = [
            people.values_list(*lasting),  # sockets come and go
            SignIn.objects.filter(user__in=people.values("id")).values_list(),
            Chat.objects.filter(id__in=ids).values_list(),
            Membership.objects.filter(chat__in=ids).values_list(),
            Message.objects.filter(chat__in=ids).values_list(),
            Mention.objects.filter(chat__in=ids).values_list(),
            Reaction.objects.filter(message__chat__in=ids).values_list(),
        ]
        counts = [f"(SELECT count(*) FROM {one.model._meta.db_table})" for one in rows]
        return [
            *(one.order_by("pk").query.sql_with_params() for one in rows),
            (f"SELECT {', '.join(counts)}", ()),
        ]

    def state(self) -> list[Any]:
        """All rows of these people and their chats, and how many rows of each kind there are."""
        rows = []
        with connection.cursor() as cursor:
            for read in self.reads:
                cursor.execute(*read)
                rows.append(cursor.fetchall())
        return rows


def _tokens(alice: Person) -> dict[str, str]:
    """Good ones in the wrong place, and bad ones."""
    ended = start_sign_in(user=alice.user, kind="token")
    end_sign_ins(sign_ins=[ended])
    return {
        "access": alice.access,
        "refresh": alice.refresh,
        "ended": access_token(ended),
        "expired": access_token(alice.sign_in, timedelta(seconds=-1)),
        "cut": alice.access[:-2],
        "forged": jwt.encode(_claims(alice.access), "x" * 64, "HS256"),
        "forged_refresh": jwt.encode(_claims(alice.refresh), "x" * 64, "HS256"),
        "django_key": jwt.encode(_claims(alice.access), settings.SECRET_KEY, "HS256"),
        "unsigned": jwt.encode(_claims(alice.access), "", "none"),
    }


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
