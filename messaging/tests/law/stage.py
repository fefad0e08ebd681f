"""The stage of the law: people who listen, and what they hold against what there is."""

import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Any

from chatproject.testing import Person, SocketClient
from messaging import asyncapi
from messaging.tests.law.cases import OPEN, PROFILE, Case, Part
from messaging.tests.law.replica import Document, Replica

CHATS = {"group", "direct", "new"}


class Stage:
    """Alice's group with Bob, their direct chat, and Dora, who is in neither."""

    def __init__(self, alice: Person, bob: Person, dora: Person) -> None:
        self.people = {"alice": alice, "bob": bob, "dora": dora}
        self.replicas: list[tuple[str, SocketClient, Replica]] = []
        self.names: Document = {"emoji": "👍", "bob_token": bob.access, "seq": 0}
        for name, one in self.people.items():
            self.names |= {name: one.id, f"{name}_name": one.username}
        group, direct = alice.group_with(bob), alice.direct_chat_with(bob)
        self.names |= {"group": group["id"], "direct": direct["id"], "new": group["id"]}

    @contextlib.asynccontextmanager
    async def listening(self, *names: str) -> AsyncIterator[None]:
        """All that these people hear is held; who is named twice has two sockets."""
        async with contextlib.AsyncExitStack() as at_the_end:
            for name in names:
                await self._listen(name, at_the_end)
            yield

    async def _listen(self, name: str, at_the_end: contextlib.AsyncExitStack) -> None:
        who = self.people[name]
        socket = await at_the_end.enter_async_context(who.socket())
        replica = Replica(who)
        replica.load()
        replica.listen(socket)
        self.replicas.append((name, socket, replica))

    async def ask(self, case: Case) -> None:
        try:
            await self.check(self._ask(case), case)
        except AssertionError as error:
            error.add_note(f"{case.who}: {case.ask} {case.body} in {case.chat}")
            raise

    async def check(self, write: Awaitable[None], case: Case) -> None:
        """Holds all replicas, and copies of them that have heard nothing, against the state."""
        ears = {name: (socket, replica.copy()) for name, socket, replica in self.replicas}
        await write
        truth = {name: await self._now(case, *ear) for name, ear in ears.items()}
        for name, _, replica in self.replicas:
            await replica.settle(lambda: equal(replica, truth[name], case.untold))  # noqa: B023
        self._judge(self.replicas, truth, case.untold)
        for socket, replica in ears.values():
            await replica.sync(socket)
        self._judge([(name, *ear) for name, ear in ears.items()], truth, case.unsynced)
        for _, _, replica in self.replicas if case.untold else ():
            replica.load()

    async def _now(self, case: Case, socket: SocketClient, before: Replica) -> Document:
        """What somebody finds who held nothing."""
        now = Replica(before.who)
        now.own = before.own
        if case.ask == PROFILE:
            now.load_own()
        await now.sync(socket, also=[value for key, value in self.names.items() if key in CHATS])
        return now.state

    def check_by_rest(self) -> None:
        for name, _, replica in self.replicas:
            now = Replica(replica.who)
            now.load()
            assert replica.state == now.state, name

    def _judge(self, replicas: Any, truth: dict[str, Document], left_out: Iterable[Part]) -> None:
        for name, _, replica in replicas:
            assert stripped(replica.state, left_out) == stripped(truth[name], left_out), name
        for part in left_out:  # else it would not have to be left out
            others = [one for one in left_out if one is not part]
            assert not all(equal(one, truth[name], others) for name, _, one in replicas)

    async def _ask(self, case: Case) -> None:
        self.names |= {"chat_id": self.names[case.chat], "user_id": self.names[case.about]}
        if " " in case.ask:
            answer = self._request(case)
        else:
            answer = (await self._send(case)).get("message", {})
        if "seq" in answer:
            self.names |= {"message_id": answer["id"], "seq": answer["seq"]}
        elif case.ask == OPEN:
            self.names["new"] = answer["id"]

    def _request(self, case: Case) -> Document:
        method, path = case.ask.split()
        body = {"json": self._filled(case.body)} if case.body else {}
        answer = self.people[case.who].rest.request(method, self._filled(path), **body)
        assert answer.is_success, answer.text
        document: Document = answer.json() if answer.content else {}
        return document

    async def _send(self, case: Case) -> Document:
        socket = next(socket for name, socket, _ in self.replicas if name == case.who)
        taken = asyncapi.document()["components"]["messages"][f"frame.{case.ask}"]["payload"]
        named = {"chat_id", "message_id"} & taken["properties"].keys()
        where = {key: self.names[key] for key in named}
        answer = await socket.ask(case.ask, **where, **self._filled(case.body))
        assert answer["type"] == "ok", answer
        return answer

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"{(\w+)}", value)
        return self.names[whole[1]] if whole else value.format_map(self.names)


def stripped(state: Document, parts: Iterable[Part]) -> Document:
    for part in parts:
        state = part.strip(state)
    return state


def equal(replica: Replica, truth: Document, parts: Iterable[Part]) -> bool:
    return stripped(replica.state, parts) == stripped(truth, parts)
