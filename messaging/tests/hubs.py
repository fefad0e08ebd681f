"""The other end of a hub that hears nothing but what a test gives it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from channels.testing import WebsocketCommunicator

from chatproject.realtime import Envelope
from chatproject.testing import Person
from chatproject.wires import SendWire
from chats.models import Chat
from messaging import reading
from messaging.batches import Posted, Send, write_batch
from messaging.consumers import ChatConsumer
from messaging.hub import Hub
from messaging.sockets import Socket

NEVER_ENDS = 2**40

Document = dict[str, Any]


class Ear:
    """A socket of the deaf hub, and all that was written to it."""

    def __init__(self, who: Person) -> None:
        self.frames: list[Document] = []
        self.socket = Socket(
            SendWire(self._send), user=who.user, sign_in_id=who.sign_in.id, expires_at=NEVER_ENDS
        )

    async def _send(self, message: Document) -> None:
        self.frames.append(json.loads(message["text"]))

    async def until(self, version: int) -> list[Document]:
        return await self._until(lambda: version in self.versions)

    async def until_told(self, kind: str) -> list[Document]:
        return await self._until(lambda: kind in self.kinds)

    async def _until(self, is_there: Callable[[], bool]) -> list[Document]:
        deadline = time.monotonic() + 5
        while not is_there():
            assert time.monotonic() < deadline, self.frames[-3:]
            await asyncio.sleep(0.005)
        return self.frames

    async def quiet(self) -> list[Document]:
        await asyncio.sleep(0.2)
        return self.frames

    @property
    def versions(self) -> list[int]:
        return [one["version"] for one in self.frames if "version" in one]

    @property
    def kinds(self) -> list[str]:
        return [one["type"] for one in self.frames]


@contextlib.asynccontextmanager
async def opened(who: Person) -> AsyncIterator[WebsocketCommunicator]:
    """A socket that was greeted, its frames not read."""
    bearer = [(b"authorization", f"Bearer {who.access}".encode())]
    socket = WebsocketCommunicator(ChatConsumer.as_asgi(), "/ws", headers=bearer)
    await socket.connect()
    assert (await socket.receive_json_from())["type"] == "hello"
    yield socket
    await socket.disconnect()


Door = Callable[[Person], contextlib.AbstractAsyncContextManager[WebsocketCommunicator]]


async def listen(hub: Hub, who: Person) -> Ear:
    ear = Ear(who)
    await hub.connect(ear.socket)
    return ear


def write(who: Person, chat: Document, count: int) -> list[Document]:
    """Stores messages of which no hub is told."""
    stored = []
    for start in range(0, count, 200):
        size = min(200, count - start)
        batch = [Send(who.user.id, None, UUID(chat["id"]), "x") for _ in range(size)]
        stored += [one.message for one in write_batch(batch) if isinstance(one, Posted)]
    return stored


def envelopes_of(chat: Document, since: int) -> list[Envelope]:
    found = reading.missed_events(UUID(chat["id"]), since)
    assert found
    return found


def chat_of(group: Document) -> Chat:
    chat: Chat = Chat.objects.get(id=group["id"])
    return chat
