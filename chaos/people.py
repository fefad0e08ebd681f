"""People who write and listen as the contract says, whatever happens, and keep books on it."""

import asyncio
import itertools
import json
import random
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import websockets

from chaos.ledger import Book, Event, Held, Ledger, Send
from chatproject.testing.sockets import NUMBERED

TROUBLE = (
    OSError,
    websockets.WebSocketException,
    httpx.HTTPError,
    TimeoutError,
    asyncio.IncompleteReadError,
)
UNCERTAIN = {"try_again", "error", "rate_limited", "not_authenticated"}
ANSWER_SECONDS = 10
LONGEST_WAIT = 2.0
LONG = 3_500
"""Characters."""
TLS = ssl.create_default_context()
"""One for all: each takes a while to make, though none is used."""
_connections = itertools.count(1)

Arrivals = asyncio.Queue[tuple[float, dict[str, Any]] | None]
"""Events with the moments at which they came; None at the end."""


class Person:
    """One account with one socket that comes back; what it holds is in its book."""

    def __init__(self, url: str, account: dict[str, Any], ledger: Ledger, seed: str) -> None:
        """``account`` is what registering answered."""
        self.url, self.ledger, self.id = url, ledger, account["user"]["id"]
        self.headers = {"Authorization": f"Bearer {account['access']}"}
        self.random = random.Random(seed)
        self.book = ledger.books.setdefault(self.id, Book(self.id))
        self.http = httpx.AsyncClient(base_url=url, headers=self.headers, timeout=15, verify=TLS)
        self.connection = 0
        self._epoch: str | None = None
        self._ws: websockets.ClientConnection | None = None
        self.is_up = asyncio.Event()
        self._refs = itertools.count(1)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._turns = itertools.count(1)
        self._is_over = False
        self.may_come = asyncio.Event()
        self.may_come.set()

    async def live(self) -> None:
        """Until ``leave`` is called."""
        wait = 0.1
        while not self._is_over:
            await self.may_come.wait()
            with suppress(*TROUBLE):
                await self._connect()
                wait = 0.1
            await asyncio.sleep(self.random.uniform(0, wait := min(LONGEST_WAIT, 2 * wait)))
        await self.http.aclose()

    async def drop(self) -> None:
        """It comes back by itself."""
        if self._ws:
            await self._ws.close()

    async def leave(self) -> None:
        self._is_over = True
        self.may_come.set()
        await self.drop()

    async def _connect(self) -> None:
        address = f"{self.url.replace('http', 'ws')}/ws"
        options: dict[str, Any] = {
            "max_size": None,
            "open_timeout": 10,
            "ping_interval": 5,
            "ping_timeout": 5,
        }
        async with websockets.connect(
            address, additional_headers=self.headers, **options
        ) as self._ws:
            self.connection, self._turns = next(_connections), itertools.count(1)
            if not self._is_over:
                await self._listen(self._ws)

    async def _listen(self, ws: websockets.ClientConnection) -> None:
        hello = json.loads(await asyncio.wait_for(ws.recv(), ANSWER_SECONDS))
        if self._epoch not in (None, hello["epoch"]):
            self.book.holes.append("the epoch has changed")
        self._epoch = hello["epoch"]
        events: Arrivals = asyncio.Queue()
        taking = asyncio.create_task(self._take_all(ws, events))
        try:
            async for data in ws:
                frame = json.loads(data)
                if "ref" in frame:
                    self._settle(frame)
                else:
                    events.put_nowait((time.monotonic(), frame))
        finally:
            self.is_up.clear()
            self._give_up_answers()
            events.put_nowait(None)
            with suppress(*TROUBLE):
                await taking
            self.is_up.clear()  # what was being learned may have said otherwise since

    def _give_up_answers(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(TimeoutError())
                answer.exception()  # seen, should nobody wait for it any more
        self._answers.clear()

    async def _take_all(self, ws: websockets.ClientConnection, events: Arrivals) -> None:
        """What was missed, then what comes, to the end: a request that is cut short would leak."""
        try:
            await self._sync()
            while arrival := await events.get():
                await self._take(*arrival)
        except TROUBLE:
            await ws.close()
            raise

    def _settle(self, frame: dict[str, Any]) -> None:
        answer = self._answers.pop(frame["ref"], None)
        if answer and not answer.done():
            answer.set_result(frame)

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The answer; raises one of TROUBLE where there is none."""
        if not self._ws:
            raise OSError
        ref = str(next(self._refs))
        self._answers[ref] = asyncio.get_running_loop().create_future()
        answer = self._answers[ref]
        await self._ws.send(json.dumps({"type": kind, "ref": ref, **fields}))
        return await asyncio.wait_for(answer, ANSWER_SECONDS)

    # What is known

    async def _sync(self) -> None:
        while True:
            answer = await self.ask("sync", epoch=self._epoch, chats=self.book.versions)
            if answer["type"] == "ok":
                break
            await asyncio.sleep(0.5)
        for chat in answer["gone"]:
            self._forget(chat)
        for change in answer["changes"]:
            await self._catch_up(**change)
        for chat in answer["chats"]:
            if chat["id"] not in self.book.versions:
                await self._learn(chat["id"])
        self.is_up.set()

    async def _catch_up(
        self, chat_id: str, version: int, messages: list[Any], complete: bool, **_: Any
    ) -> None:
        if complete:
            for message in messages:
                self._hold(message)
            self.book.versions[chat_id] = version
        else:
            await self._learn(chat_id)

    async def _learn(self, chat_id: str) -> None:
        """All of a chat that is held no more, or not yet. It may grow meanwhile."""
        self._forget(chat_id)
        version = (await self._get(f"/chats/{chat_id}"))["version"]
        last, has_after = 0, True
        while has_after:
            page = await self._get(f"/chats/{chat_id}/messages?after={last}&limit=200")
            for message in page["results"]:
                self._hold(message)
                last = message["seq"]
            has_after = page["has_after"]
        self.book.versions[chat_id] = version

    async def _get(self, path: str) -> Any:
        return (await self.http.get(path)).raise_for_status().json()

    def _hold(self, message: dict[str, Any]) -> None:
        known, seq = self.book.known.setdefault(message["chat_id"], {}), message["seq"]
        held = Held(message["version"], message["client_id"] or "", message["content"])
        known[seq] = max(held, known.get(seq, held))

    def _forget(self, chat_id: str) -> None:
        self.book.known.pop(chat_id, None)
        self.book.versions.pop(chat_id, None)

    async def _take(self, at: float, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "chat.created" and event["chat"]["id"] not in self.book.versions:
            await self._learn(event["chat"]["id"])
        elif kind == "chat.removed":
            self._forget(event["chat_id"])
        elif kind in NUMBERED:
            self._count(at, event)

    def _count(self, at: float, event: dict[str, Any]) -> None:
        chat, version = event["chat_id"], event["version"]
        client_id = event.get("message", {}).get("client_id") or ""
        self.book.events.append(Event(self.connection, chat, version, event["type"], at, client_id))
        known = self.book.versions.get(chat)
        if known is None or version <= known:
            return
        if version != known + 1:
            self.book.holes.append(f"{chat} went from {known} to {version}")
        self.book.versions[chat] = version
        if "message" in event:
            self._hold(event["message"])

    # What is said

    async def say(self, chat: str, client_id: str) -> Send:
        """Asks until it is stored or refused."""
        send = self.ledger.sends[client_id] = Send(self.id, chat, client_id, 0, 0)
        is_unsure = False
        for tries in itertools.count():
            await self.is_up.wait()
            send.connection, send.turn = self.connection, 0 if tries else next(self._turns)
            try:
                answer = await self._send(chat, client_id)
            except TROUBLE:
                is_unsure = True
                await asyncio.sleep(0.05)  # the socket may be told of its end only then
                continue
            if answer["type"] == "ok":
                send.outcome, send.seq = "ok", answer["message"]["seq"]
                return send
            if answer["errors"][0]["code"] not in UNCERTAIN:
                send.outcome = "unknown" if is_unsure else "failed"
                return send
            await asyncio.sleep(answer["errors"][0].get("retry_after") or 0.3)
        raise AssertionError

    async def _send(self, chat: str, client_id: str) -> dict[str, Any]:
        """Now and then twice at once, as where a network does so; a tenth of them is long."""
        content = client_id.ljust(LONG if self.random.random() < 0.1 else 0, ".")
        fields = {"chat_id": chat, "client_id": client_id, "content": content}
        asked = [self.ask("message.send", **fields)]
        if self.random.random() < 0.05:
            asked.append(self.ask("message.send", **fields))
        answers = await asyncio.gather(*asked)
        # Where one says no, for its sender was removed in between, it is stored all the same.
        return max(answers, key=lambda answer: answer["type"] == "ok")

    async def post(self, chat: str, client_id: str) -> Send:
        """The same by REST."""
        send = self.ledger.sends[client_id] = Send(self.id, chat, client_id, 0, 0)
        body = {"content": client_id, "client_id": client_id}
        for tries in itertools.count():
            with suppress(*TROUBLE):
                answer = await self.http.post(f"/chats/{chat}/messages", json=body)
                if answer.status_code in (200, 201):
                    send.outcome, send.seq = "ok", answer.json()["seq"]
                    await self.edit(answer.json())
                    return send
                if 400 <= answer.status_code < 500 and answer.status_code not in (401, 408, 429):
                    send.outcome = "unknown" if tries else "failed"
                    return send
            await asyncio.sleep(0.3)
        raise AssertionError

    async def edit(self, message: dict[str, Any]) -> None:
        """Once, and whatever comes of it: all have to hold what the server does."""
        path = f"/chats/{message['chat_id']}/messages/{message['id']}"
        with suppress(*TROUBLE):
            await self.http.patch(path, json={"content": f"{message['content']} edited"})


@asynccontextmanager
async def alive(people: list[Person]) -> AsyncIterator[None]:
    """Connected; in the end all go, and nothing of them is left."""
    lives = [asyncio.create_task(one.live()) for one in people]
    try:
        for one in people:
            await one.is_up.wait()
        yield
    finally:
        await asyncio.gather(*(one.leave() for one in people))
        await asyncio.gather(*lives)
