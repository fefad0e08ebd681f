"""What survives the end of the server, sudden or not."""

import asyncio
import contextlib
import itertools
import signal
from typing import Any

import httpx
import websockets

from chatproject.testing import PASSWORD, Server, SocketClient


class Account:
    """Somebody known to that server alone."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        answer = httpx.post(f"{server.url}/auth/register", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["user"]["id"]
        self.headers = {"Authorization": f"Bearer {answer.json()['access']}"}
        self.sent: dict[str, dict[str, Any] | None] = {}

    def call(self, method: str, path: str, **more: Any) -> Any:
        url = self.server.url + path
        answer = httpx.request(method, url, headers=self.headers, timeout=30, **more)
        assert answer.is_success, answer.text
        return answer.json()

    @contextlib.asynccontextmanager
    async def socket(self) -> Any:
        url = f"{self.server.url}/ws".replace("http", "ws")
        async with websockets.connect(url, additional_headers=self.headers) as ws:
            client = SocketClient(ws)
            client.hello = await client.event("hello")
            yield client

    async def flood(self, chat: dict[str, Any]) -> int | None:
        """Sends until the connection ends; notes each send and its answer."""
        async with self.socket() as socket:
            with contextlib.suppress(websockets.ConnectionClosed):
                for number in itertools.count():
                    client_id = f"{self.id}-{len(self.sent)}-{number}"
                    self.sent[client_id] = None
                    same = {"ref": client_id, "client_id": client_id}
                    await socket.send("message.send", chat_id=chat["id"], content="x", **same)
                    if number % 5 == 4:
                        await socket.event("ok", ref=client_id)
            await socket.close_code()
            for frame in socket.of_type("ok"):
                self.sent[frame["ref"]] = frame["message"]
            return socket.ws.close_code

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        return [message for message in self.sent.values() if message]

    async def send_again(self, chat: dict[str, Any]) -> None:
        """What got no answer is sent again under the same client_id."""
        async with self.socket() as socket:
            for client_id in [key for key, message in self.sent.items() if not message]:
                answer = await socket.ask(
                    "message.send", chat_id=chat["id"], content="x", client_id=client_id
                )
                self.sent[client_id] = answer["message"]


def _history(who: Account, chat: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        query = {"after": after, "limit": 200}
        page = who.call("GET", f"/chats/{chat['id']}/messages", params=query)
        found += page["results"]
        if not page["has_after"]:
            return found


def _assert_whole(people: list[Account], chat: dict[str, Any]) -> list[dict[str, Any]]:
    """Every acknowledged message is there once, and no number is missing."""
    history = _history(people[0], chat)
    assert [one["seq"] for one in history] == list(range(1, len(history) + 1))
    versions = [one["version"] for one in history]
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    now = people[0].call("GET", f"/chats/{chat['id']}")
    assert (now["last_seq"], now["version"]) == (history[-1]["seq"], versions[-1])
    client_ids = [one["client_id"] for one in history if one["client_id"]]
    assert len(client_ids) == len(set(client_ids))
    by_id = {one["id"]: one for one in history}
    for who in people:
        assert len(who.acknowledged) > 20
        assert all(by_id[message["id"]] == message for message in who.acknowledged)
    return history


async def _flooding(people: list[Account], chat: dict[str, Any]) -> list[asyncio.Task[Any]]:
    """All send at once; returns when each has sent some."""
    floods = [asyncio.create_task(one.flood(chat)) for one in people]
    enough = [len(one.sent) + 40 for one in people]
    while any(len(one.sent) < size for one, size in zip(people, enough, strict=True)):
        assert not any(flood.done() for flood in floods)
        await asyncio.sleep(0.001)
    return floods


async def _stage(server: Server) -> tuple[list[Account], dict[str, Any]]:
    people = [Account(server, name) for name in ("ana", "ben", "cem")]
    members = [one.id for one in people[1:]]
    body = {"type": "group", "name": "Flood", "members": members}
    return people, people[0].call("POST", "/chats", json=body)


async def test_a_killed_server_has_every_message_that_it_acknowledged(own_server: Server):
    people, chat = await _stage(own_server)
    async with people[0].socket() as socket:
        epoch = socket.hello["epoch"]
    for _ in range(2):
        floods = await _flooding(people, chat)
        await asyncio.to_thread(own_server.stop, signal.SIGKILL)
        await asyncio.gather(*floods)
        await asyncio.to_thread(own_server.start)
        _assert_whole(people, chat)
    assert any(message is None for one in people for message in one.sent.values())
    for one in people:
        await one.send_again(chat)
    history = _assert_whole(people, chat)
    assert len(history) == 1 + sum(len(one.sent) for one in people)
    async with people[0].socket() as socket:
        assert socket.hello["epoch"] == epoch


async def test_a_server_told_to_stop_says_1012_and_loses_nothing(own_server: Server):
    people, chat = await _stage(own_server)
    async with people[0].socket() as idle:
        floods = await _flooding(people, chat)
        stopping = asyncio.create_task(asyncio.to_thread(own_server.stop))
        assert await asyncio.gather(*floods) == [1012, 1012, 1012]
        assert await idle.close_code() == 1012
        await asyncio.wait_for(stopping, 15)
    log = own_server.log.read_text()
    assert "Traceback" not in log, log
    await asyncio.to_thread(own_server.start)
    _assert_whole(people, chat)
    for one in people:
        await one.send_again(chat)
    assert len(_assert_whole(people, chat)) == 1 + sum(len(one.sent) for one in people)
