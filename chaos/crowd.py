"""Many who come back in the same moment, after a full restart."""

import asyncio
import itertools
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from chaos.ledger import Ledger
from chaos.people import Person, alive
from chaos.stage import Installation, register

PEOPLE, SOCKETS_EACH, CHATS, SIZE = 200, 5, 40, 35
"""Of 35 people each chat; so everybody has seven."""
MISSED = 10
"""Messages a chat."""
GIVE_UP_AFTER = 300


@dataclass
class Crowd:
    """Each person has several sockets; each chat has as many people, beginning with its owner."""

    url: str
    people: int
    sockets_each: int
    count: int
    size: int
    sockets: list[Person] = field(default_factory=list)
    chats: list[str] = field(default_factory=list)

    def gather(self) -> None:
        """They know their chats, as after a first visit."""
        accounts = [register(self.url, f"p{number}") for number in range(self.people)]
        for account, number in itertools.product(accounts, range(self.sockets_each)):
            seed = f"{account['user']['id']}.{number}"
            self.sockets.append(Person(self.url, account, Ledger(), seed))
        for number in range(self.count):
            first = number * self.people // self.count
            chosen = itertools.islice(itertools.cycle(accounts), first + 1, first + self.size)
            members = [account["user"]["id"] for account in chosen]
            body = {"type": "group", "name": f"Chat {number}", "members": members}
            answer = self._post("/chats", body, self._owner(number))
            self.chats.append(answer["id"])
            for one in self.sockets:
                if one.id in [*members, self._owner(number).id]:
                    one.book.versions[answer["id"]] = answer["version"]

    def say(self, messages: int) -> None:
        """So many into each chat."""
        for number, chat in enumerate(self.chats):
            for text in range(messages):
                path = f"/chats/{chat}/messages"
                self._post(path, {"content": f"missed {text}"}, self._owner(number))

    def _owner(self, number: int) -> Person:
        return self.sockets[number * self.people // self.count * self.sockets_each]

    def _post(self, path: str, body: dict[str, Any], by: Person) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}{path}", json=body, headers=by.headers, timeout=30)
        return dict(answer.raise_for_status().json())


async def come_back(profile: str) -> float:
    """Seconds from when all may come until the last one has all."""
    stage = Installation(profile)
    async with stage.set_up():
        crowd = Crowd(stage.server.url, PEOPLE, SOCKETS_EACH, CHATS, SIZE)
        await asyncio.to_thread(crowd.gather)
        async with alive(crowd.sockets):
            await _all_have_all(crowd, stage)
            for one in crowd.sockets:
                one.may_come.clear()
            await asyncio.to_thread(_restart_and_say, stage, crowd)
            began = time.monotonic()
            for one in crowd.sockets:
                one.may_come.set()
            await _all_have_all(crowd, stage)
            return time.monotonic() - began


def _restart_and_say(stage: Installation, crowd: Crowd) -> None:
    """What is said reaches nobody; the server is as one that has just begun."""
    stage.server.stop(signal.SIGKILL)
    stage.server.start()
    crowd.say(MISSED)
    stage.server.stop(signal.SIGKILL)
    stage.server.start()


async def _all_have_all(crowd: Crowd, stage: Installation) -> None:
    truth = await asyncio.to_thread(stage.truth)
    async with asyncio.timeout(GIVE_UP_AFTER):
        for one in crowd.sockets:
            own = [chat for chat in crowd.chats if one.id in truth.members[chat]]
            while any(one.book.versions.get(chat) != truth.versions[chat] for chat in own):
                await asyncio.sleep(0.1)
