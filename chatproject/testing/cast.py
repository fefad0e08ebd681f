"""The cast: people with accounts, tokens and sockets."""

import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import websockets

from chatproject.testing import contract
from chatproject.testing.sockets import SocketClient
from chatproject.testing.stage import Server

PASSWORD = "correct horse 9"
_numbers = itertools.count(1)


def rest_client(server: Server, **options: Any) -> httpx.Client:
    """Whoever it is for, each answer is held against the OpenAPI document."""
    # There is no TLS here, and reading the certificates for it takes longer than most requests.
    fixed: dict[str, Any] = {"timeout": 30, "event_hooks": contract.HOOKS, "verify": False}
    return httpx.Client(base_url=server.url, **fixed | options)


class Person:
    """Somebody with an account and a token: ``rest`` is a REST client that bears it."""

    def __init__(self, server: Server, name: str, **facts: Any) -> None:
        from django.contrib.auth.hashers import make_password

        from accounts.actions import start_sign_in
        from accounts.models import User
        from accounts.tokens import access_token, refresh_token

        username = f"{name}{next(_numbers)}-{os.getpid() % 10_000}"
        self.user = User.objects.create(
            username=username,
            email=f"{username}@example.org",
            display_name=facts.pop("display_name", name.capitalize()),
            password=_hash_of_password(make_password),
            **facts,
        )
        self.server = server
        self.sign_in = start_sign_in(user=self.user, kind="token")
        self.access, self.refresh = access_token(self.sign_in), refresh_token(self.sign_in)
        self.headers = {"Authorization": f"Bearer {self.access}"}
        self.rest = rest_client(server, headers=self.headers)

    @property
    def id(self) -> str:
        return str(self.user.id)

    @property
    def username(self) -> str:
        return self.user.username

    @contextlib.asynccontextmanager
    async def socket(self, **options: Any) -> AsyncIterator[SocketClient]:
        """An open, signed-in socket that has been greeted (``hello``)."""
        unbounded = {
            "max_size": None,
            "max_queue": None,
        }  # else what is not read blocks the closing
        options = {"additional_headers": self.headers, **unbounded, **options}
        async with websockets.connect(
            f"{self.server.url}/ws".replace("http", "ws"), **options
        ) as ws:
            client = SocketClient(ws)
            client.hello = await client.event("hello")
            yield client

    def direct_chat_with(self, other: "Person") -> dict[str, Any]:
        answer = self.rest.post("/chats", json={"type": "direct", "members": [other.id]})
        assert answer.status_code in (200, 201), answer.text
        chat: dict[str, Any] = answer.json()
        return chat

    def group_with(self, *others: "Person", name: str = "Regatta weekend") -> dict[str, Any]:
        body = {"type": "group", "name": name, "members": [other.id for other in others]}
        answer = self.rest.post("/chats", json=body)
        assert answer.status_code == 201, answer.text
        chat: dict[str, Any] = answer.json()
        return chat

    def says(self, chat: dict[str, Any], content: str, **more: Any) -> dict[str, Any]:
        answer = self.rest.post(f"/chats/{chat['id']}/messages", json={"content": content, **more})
        assert answer.status_code in (200, 201), answer.text
        message: dict[str, Any] = answer.json()
        return message


class Newcomer(Person):
    """Somebody who registered at a server with an installation of its own."""

    def __init__(self, server: Server, name: str) -> None:
        username = f"{name}{next(_numbers)}"
        facts = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
        answer = httpx.post(f"{server.url}/auth/register", json=facts, timeout=30)
        assert answer.status_code == 201, answer.text
        self.server, self.known = server, answer.json()["user"]
        self.access, self.refresh = answer.json()["access"], answer.json()["refresh"]
        self.headers = {"Authorization": f"Bearer {self.access}"}
        self.rest = rest_client(server, headers=self.headers)

    @property
    def id(self) -> str:
        return str(self.known["id"])

    @property
    def username(self) -> str:
        return str(self.known["username"])


_hashes: list[str] = []


def _hash_of_password(make_password: Callable[[str], str]) -> str:
    """One hash for the whole cast: hashing is slow on purpose."""
    if not _hashes:
        _hashes.append(make_password(PASSWORD))
    return _hashes[0]


def web_session(who: Person) -> str:
    """A new session cookie of somebody who is signed in on the page."""
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.access import SESSION_KEY
    from accounts.actions import start_sign_in

    session = SessionStore()
    session[SESSION_KEY] = str(start_sign_in(user=who.user, kind="web").id)
    session.create()
    return str(session.session_key)


def fill(chat: dict[str, Any], count: int, *people: Person, read_by: Person | None = None) -> None:
    """Many messages at once, a minute apart; before anybody listens."""
    from django.utils import timezone

    from chats.models import Chat, Membership
    from messaging.models import Message

    row = Chat.objects.get(id=chat["id"])
    start = timezone.now() - timedelta(minutes=count)
    said = [
        Message(
            chat=row,
            seq=row.last_seq + number,
            version=row.version + number,
            created_version=row.version + number,
            sender=people[number // 7 % len(people)].user,
            content=(text := f"m{row.last_seq + number} " + "and more of it " * (number % 23)),
            html=f'<p dir="auto">{text}</p>',
            created_at=start + timedelta(minutes=number),
        )
        for number in range(1, count + 1)
    ]
    Message.objects.bulk_create(said, batch_size=500)
    last = row.last_seq + count
    Chat.objects.filter(id=row.id).update(last_seq=last, version=row.version + count)
    if read_by:
        Membership.objects.filter(chat=row, user=read_by.user).update(last_read_seq=last)
