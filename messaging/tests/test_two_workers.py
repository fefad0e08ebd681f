"""People on different server processes, and a Redis that fails between them."""

import asyncio
import contextlib
import os
import signal
import time
from typing import Any

import pytest
import redis

from accounts.models import STALE_SECONDS, ServerProcess
from chatproject.testing import Person, Server, SocketClient
from chatproject.testing.stage import services
from chatproject.times import rfc3339
from messaging.tests.processes import apart, code_if_closed, process_of

pytestmark = pytest.mark.services

MADE_GOOD_SECONDS = 5


async def _say(socket: SocketClient, chat: dict[str, Any], count: int) -> None:
    for number in range(count):
        answer = await socket.ask("message.send", chat_id=chat["id"], content=str(number))
        assert answer["type"] == "ok", answer


def _told(socket: SocketClient, chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in socket.frames if one.get("chat_id") == chat["id"] and one.get("version")]


def _assert_whole(socket: SocketClient, chat: dict[str, Any], *, until: int) -> None:
    first = chat["version"] + 1
    versions = [one["version"] for one in _told(socket, chat)]
    assert versions == list(range(first, until + 1))


def _version(who: Person, chat: dict[str, Any]) -> int:
    version: int = who.rest.get(f"/chats/{chat['id']}").json()["version"]
    return version


async def _layer_carries(sender: SocketClient, hearer: SocketClient, chat: dict[str, Any]) -> None:
    """Typing is in no row: only the layer can bring it."""
    deadline = time.monotonic() + 20
    while True:
        await sender.ask("typing", chat_id=chat["id"])
        with contextlib.suppress(TimeoutError):
            await hearer.event("typing", timeout=3.5, chat_id=chat["id"])
            return
        assert time.monotonic() < deadline


async def test_people_on_different_workers_chat_in_order(
    alice: Person, bob: Person, group: dict[str, Any]
):
    async with apart(alice, bob) as (a, b):
        await asyncio.gather(_say(a, group, 40), _say(b, group, 40))
        last = _version(alice, group)
        assert last == group["version"] + 80
        for socket in (a, b):
            await socket.event("message.created", version=last)
            _assert_whole(socket, group, until=last)
        assert _told(a, group) == _told(b, group)


async def test_what_is_not_a_message_crosses_too(
    alice: Person, bob: Person, carol: Person, group: dict[str, Any]
):
    here = f"/chats/{group['id']}"
    async with apart(alice, bob) as (a, b), carol.socket() as c:
        await a.ask("typing", chat_id=group["id"])
        await b.event("typing", user_id=alice.id)
        alice.rest.post(f"{here}/members", json={"user_ids": [carol.id]})
        joined = await b.event("member.joined")
        assert joined["member"]["user"]["id"] == carol.id
        assert (await c.event("chat.created"))["chat"]["id"] == group["id"]
        alice.rest.patch(f"{here}/members/{carol.id}", json={"role": "admin"})
        assert (await b.event("member.updated"))["member"]["role"] == "admin"
        alice.rest.patch(here, json={"name": "Renamed"})
        assert (await b.event("chat.updated"))["chat"]["name"] == "Renamed"
        seq = _told(b, group)[-1].get("message", {}).get("seq", group["last_seq"])
        await a.ask("read", chat_id=group["id"], seq=seq)
        assert (await b.event("read", user_id=alice.id))["seq"] == seq
        alice.rest.patch("/users/me", json={"display_name": "Alicia"})
        assert (await b.event("user.updated"))["user"]["display_name"] == "Alicia"
        alice.rest.delete(f"{here}/members/{carol.id}")
        await b.event("member.left")
        await c.event("chat.removed", chat_id=group["id"])
        said = alice.says(group, "without Carol")
        await b.event("message.created", version=said["version"])
        await c.settle()
        assert c.frames[-1]["type"] == "chat.removed"


async def test_presence_crosses(alice: Person, bob: Person, mallory: Person):
    async with apart(alice, bob) as watchers:
        for watcher in watchers:
            await watcher.ask("presence.watch", user_ids=[mallory.id])
        async with mallory.socket():
            for watcher in watchers:
                assert (await watcher.event("presence"))["is_online"] is True
        for watcher in watchers:
            assert (await watcher.event("presence", timeout=6))["is_online"] is False


async def test_ones_own_marks_reach_ones_other_device(alice: Person, group: dict[str, Any]):
    said = alice.says(group, "one")
    async with apart(alice, alice) as (a, b):
        await a.ask("read", chat_id=group["id"], seq=said["seq"])
        told = await b.event("me.updated", chat_id=group["id"])
        assert told["me"]["last_read_seq"] == said["seq"]


async def test_typing_through_two_workers_is_told_once(
    alice: Person, bob: Person, group: dict[str, Any]
):
    async with apart(alice, alice) as (a, b), bob.socket() as hearer:
        for socket in (a, b, a, b):
            await socket.ask("typing", chat_id=group["id"])
        await hearer.settle()
        assert len(hearer.of_type("typing")) == 1


async def test_a_sign_in_that_ends_closes_its_socket_on_the_other_worker(
    alice: Person, bob: Person
):
    async with apart(alice, bob) as (a, b):
        for who in (alice, bob):
            who.rest.post("/auth/logout", json={"refresh": who.refresh})
        assert [await a.close_code(3), await b.close_code(3)] == [4401, 4401]


# Redis


@pytest.fixture
def layer() -> Any:
    client = redis.Redis.from_url(services.redis_url)
    yield client
    client.close()


async def test_a_socket_idle_for_ten_seconds_still_hears_the_layer(
    alice: Person, bob: Person, group: dict[str, Any], layer: Any
):
    async with apart(alice, bob) as (a, b):
        await asyncio.sleep(10)
        assert len(layer.pubsub_channels("*__group__events")) == 1
        await a.ask("typing", chat_id=group["id"])
        await b.event("typing", timeout=2, user_id=alice.id)


async def test_a_flushed_redis_changes_nothing(
    alice: Person, bob: Person, group: dict[str, Any], layer: Any
):
    async with apart(alice, bob) as (a, b):
        layer.flushall()
        await _say(a, group, 5)
        until = _version(alice, group)
        await b.event("message.created", timeout=MADE_GOOD_SECONDS, version=until)
        _assert_whole(b, group, until=until)
        await _layer_carries(a, b, group)


async def test_what_is_published_while_the_layer_is_cut_off_arrives(
    alice: Person, bob: Person, group: dict[str, Any], layer: Any
):
    async with apart(alice, bob) as (a, b):
        for _ in range(3):
            layer.client_kill_filter(_type="pubsub")
            await _say(a, group, 10)
            await asyncio.sleep(0.1)
        sent_at = time.monotonic()
        until = _version(alice, group)
        await b.event("message.created", timeout=MADE_GOOD_SECONDS, version=until)
        assert time.monotonic() - sent_at < MADE_GOOD_SECONDS
        _assert_whole(b, group, until=until)
        await _layer_carries(a, b, group)


async def test_a_paused_redis_delays_no_answer_and_no_event_for_long(
    alice: Person, bob: Person, group: dict[str, Any], layer: Any
):
    async with apart(alice, bob) as (a, b):
        layer.client_pause(12_000)
        started = time.monotonic()
        await _say(a, group, 10)
        alice.says(group, "over REST")
        assert time.monotonic() - started < 5
        until = group["version"] + 11
        for socket in (a, b):
            await socket.event("message.created", timeout=MADE_GOOD_SECONDS, version=until)
            _assert_whole(socket, group, until=until)
        assert time.monotonic() - started < 11  # it was paused all the while
        await asyncio.to_thread(layer.ping)
        await _layer_carries(a, b, group)


# Processes that are killed


async def test_workers_end_with_the_process_that_started_them(own_server: Server):
    workers = own_server.workers()
    assert len(workers) == 2
    own_server.process.kill()
    own_server.process.wait()
    deadline = time.monotonic() + 15
    while set(workers) & set(own_server.processes()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    own_server.start()  # on the same port


@pytest.mark.timeout(180)
async def test_a_killed_worker_takes_nobody_with_it_and_its_people_are_offline_soon(
    server: Server, alice: Person, bob: Person, group: dict[str, Any]
):
    async with apart(alice, bob) as (a, b):
        processes = {alice.id: await process_of(alice), bob.id: await process_of(bob)}
        victim = server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        killed_at = time.monotonic()
        codes = await asyncio.gather(code_if_closed(a), code_if_closed(b))
        assert sorted(code is None for code in codes) == [False, True]
        gone, stays = (alice, bob) if codes[1] is None else (bob, alice)
        socket = b if stays is bob else a
        heartbeat = ServerProcess.objects.get(id=processes[gone.id]).heartbeat_at
        await socket.ask("presence.watch", user_ids=[gone.id])
        said = stays.says(group, "still here")
        await socket.event("message.created", timeout=5, version=said["version"])
        event = await socket.event("presence", timeout=75, user_id=gone.id)
        assert time.monotonic() - killed_at < 75
        assert time.monotonic() - killed_at > STALE_SECONDS - 15
        assert (event["is_online"], event["last_seen"]) == (False, rfc3339(heartbeat))
        now = stays.rest.get(f"/users/{gone.id}").json()
        assert (now["is_online"], now["last_seen"]) == (False, rfc3339(heartbeat))
        async with gone.socket():
            assert (await socket.event("presence", user_id=gone.id))["is_online"] is True
        assert len(server.workers()) == 2
