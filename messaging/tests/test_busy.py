"""What goes on while others keep every thread, or every place for a hash, to themselves."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from accounts.actions import sign_in
from accounts.models import SignIn
from chatproject import pools
from chatproject.ids import new_id
from chatproject.pools import release_connection
from chatproject.testing import PASSWORD, Hold, Person
from messaging import changes
from messaging.hub import Hub
from messaging.tests.hubs import Document, Door, envelopes_of, listen, write

PEOPLE = 24
"""More than a process has connections to PostgreSQL, fewer than may wait for a hash."""
PLACES = 32
"""As many as may."""


async def test_repairs_the_sweep_and_presence_go_on_while_everybody_syncs(
    hub: Hub, door: Door, hold: Hold, alice: Person, bob: Person, quiet_group: Document
):
    ear = await listen(hub, alice)
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(door(bob)) for _ in range(8)]
        sync = hold(changes, "sync")
        for socket in sockets:
            await socket.send_json_to({"type": "sync", "ref": "1", "chats": {}})
        for _ in range(4):  # which are all threads that there are
            await sync.found()
        first, second = write(alice, quiet_group, 2)
        hub.take(envelopes_of(quiet_group, first["version"])[0])
        await ear.until(second["version"])
        (unheard,) = write(alice, quiet_group, 1)
        async with asyncio.timeout(5):
            await hub._sweep()
            await ear.until(unheard["version"])
            assert await hub.presence.connected(new_id(), bob.user.id)
        sync.let_go(8)
        for socket in sockets:
            answers = [await socket.receive_json_from(timeout=5) for _ in range(4)]
            assert answers[-1]["type"] == "ok"


class SlowHasher(MD5PasswordHasher):
    """One that takes as long as a test likes."""

    algorithm = "slow"
    may_go_on = threading.Event()

    def verify(self, password: str, encoded: str) -> bool:
        assert self.may_go_on.wait(20)
        return super().verify(password, encoded)


@pytest.fixture
def slow_hashes(settings: Any) -> Iterator[threading.Event]:
    settings.PASSWORD_HASHERS = [f"{__name__}.SlowHasher"]
    SlowHasher.may_go_on.clear()
    yield SlowHasher.may_go_on
    SlowHasher.may_go_on.set()


async def test_who_waits_for_a_hash_keeps_nobody_from_sending(
    door: Door, alice: Person, bob: Person, quiet_group: Document, slow_hashes: threading.Event
):
    alice.user.set_password(PASSWORD)
    alice.user.save(update_fields=["password"])
    async with door(bob) as socket:
        with ThreadPoolExecutor(PEOPLE) as people:
            try:
                sign_ins = [people.submit(_sign_in, alice) for _ in range(PEOPLE)]
                await _until_all_wait_for_a_hash()
                sends = {"type": "message.send", "chat_id": quiet_group["id"], "content": "x"}
                await socket.send_json_to({**sends, "ref": "1"})
                answer = await socket.receive_json_from(timeout=10)
                assert not any(one.done() for one in sign_ins)
            finally:
                slow_hashes.set()
    assert (answer["type"], answer["ref"]) == ("ok", "1"), answer
    assert {one.result().user_id for one in sign_ins} == {alice.user.id}


def _sign_in(who: Person) -> SignIn:
    try:
        return sign_in(identifier=who.username, password=PASSWORD, kind="token")
    finally:
        release_connection()


async def _until_all_wait_for_a_hash() -> None:
    deadline = time.monotonic() + 4
    while pools._hashing._work_queue.qsize() < PEOPLE - 2:  # two are under way
        assert time.monotonic() < deadline, "some wait for a connection that the others keep"
        await asyncio.sleep(0.01)


def test_beyond_32_who_wait_for_a_hash_one_is_told_to_come_back(
    alice: Person, slow_hashes: threading.Event
):
    alice.user.set_password(PASSWORD)
    alice.user.save(update_fields=["password"])
    at_the_latest = threading.Timer(20, slow_hashes.set)  # who is not refused would wait for ever
    at_the_latest.start()
    with ThreadPoolExecutor(PLACES) as people:
        try:
            sign_ins = [people.submit(_sign_in, alice) for _ in range(PLACES)]
            deadline = time.monotonic() + 10
            while pools._hashing._work_queue.qsize() < PLACES - 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            client = Client(SERVER_NAME="localhost")
            body = {"username": "nobody", "password": PASSWORD}
            refused = client.post("/auth/login", body, "application/json")
            client.get("/login")
            on_the_page = client.post("/login", body)
        finally:
            at_the_latest.cancel()
            slow_hashes.set()
    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    assert refused.json()["errors"][0]["code"] == "try_again"
    assert (on_the_page.status_code, on_the_page["Retry-After"]) == (503, "2")
    assert {one.result().user_id for one in sign_ins} == {alice.user.id}
