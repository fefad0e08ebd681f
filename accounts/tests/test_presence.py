"""Who is online, and who hears of it."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import presence
from accounts.models import Connection, ServerProcess, User
from chatproject.ids import new_id
from chatproject.pools import in_upkeep_pool
from chatproject.testing import Hold, Person, SocketClient, tidily
from chatproject.times import rfc3339


def is_online(who: Person, *, seen_by: Person) -> bool:
    answer = seen_by.rest.get(f"/users/{who.id}").json()["is_online"]
    assert isinstance(answer, bool)
    return answer


async def watch(socket: SocketClient, *people: Person) -> list[dict[str, Any]]:
    answer = await socket.ask("presence.watch", user_ids=[one.id for one in people])
    assert answer["type"] == "ok", answer
    users: list[dict[str, Any]] = answer["users"]
    return users


async def test_online_within_a_second_of_connecting_and_offline_five_after_closing(
    alice: Person, bob: Person
):
    async with bob.socket() as watcher:
        users = await watch(watcher, alice)
        assert [(user["user_id"], user["is_online"]) for user in users] == [(alice.id, False)]
        async with alice.socket():
            event = await watcher.event("presence", timeout=1, user_id=alice.id)
            assert event["is_online"] is True
            assert is_online(alice, seen_by=bob)
        closed_at = time.monotonic()
        event = await watcher.event("presence", timeout=5, user_id=alice.id)
        assert time.monotonic() - closed_at > 2.5
        assert event["is_online"] is False
        assert event["last_seen"].endswith("Z")
        assert not is_online(alice, seen_by=bob)
        assert bob.rest.get(f"/users/{alice.id}").json()["last_seen"] == event["last_seen"]
        await watcher.settle()
        assert len(watcher.of_type("presence")) == 2


async def test_a_flap_is_not_told(alice: Person, bob: Person):
    async with bob.socket() as watcher:
        await watch(watcher, alice)
        async with alice.socket():
            await watcher.event("presence", user_id=alice.id)
        await asyncio.sleep(1)
        async with alice.socket():
            await watcher.settle(4)
            assert len(watcher.of_type("presence")) == 1
            assert is_online(alice, seen_by=bob)


async def test_with_two_sockets_one_is_online_until_both_are_closed(alice: Person, bob: Person):
    async with bob.socket() as watcher:
        await watch(watcher, alice)
        async with alice.socket():
            async with alice.socket():
                await watcher.event("presence", user_id=alice.id)
            await watcher.settle(4)
            assert len(watcher.of_type("presence")) == 1
            assert is_online(alice, seen_by=bob)
        event = await watcher.event("presence", timeout=5)
        assert event["is_online"] is False


async def test_who_signs_out_is_offline(alice: Person, bob: Person):
    async with bob.socket() as watcher, alice.socket() as socket:
        await asyncio.sleep(0.2)
        assert (await watch(watcher, alice))[0]["is_online"] is True
        alice.rest.post("/auth/logout", json={"refresh": alice.refresh})
        assert await socket.close_code() == 4401
        assert (await watcher.event("presence", timeout=5))["is_online"] is False


async def test_only_those_who_are_watched_are_told_of_and_a_new_watch_replaces_the_last(
    alice: Person, bob: Person, carol: Person, mallory: Person
):
    async with mallory.socket() as all_the_time, bob.socket() as watcher:
        await watch(all_the_time, alice, carol)
        await watch(watcher, alice)
        await watch(watcher, carol)
        async with alice.socket(), carol.socket():
            await all_the_time.event("presence", user_id=alice.id)
            await watcher.event("presence", user_id=carol.id)
            await watcher.settle()
            assert {event["user_id"] for event in watcher.of_type("presence")} == {carol.id}
            assert await watch(watcher) == []


async def test_a_watch_answers_for_everybody_named(alice: Person, bob: Person):
    async with alice.socket() as socket:
        await asyncio.sleep(0.2)
        answer = await socket.ask("presence.watch", user_ids=[alice.id, bob.id])
        users = {user["user_id"]: user for user in answer["users"]}
        assert users.keys() == {alice.id, bob.id}
        assert (users[alice.id]["is_online"], users[bob.id]["is_online"]) == (True, False)
        assert users[bob.id].keys() == {"user_id", "is_online", "last_seen"}


@pytest.mark.parametrize("user_ids", [["x"], [str(new_id())]])
async def test_a_bad_watch_leaves_the_last(alice: Person, bob: Person, user_ids: Any):
    async with bob.socket() as watcher:
        await watch(watcher, alice)
        answer = await watcher.ask("presence.watch", user_ids=user_ids)
        assert answer["type"] == "error"
        async with alice.socket():
            assert (await watcher.event("presence", timeout=1))["user_id"] == alice.id


async def test_five_hundred_people_can_be_watched(bob: Person):
    async with bob.socket() as watcher:
        answer = await watcher.ask("presence.watch", user_ids=[bob.id] * 500)
        assert answer["type"] == "ok"


# A process that died


def connected_through_another_process(who: Person, *, silent_seconds: int) -> ServerProcess:
    heartbeat_at = timezone.now() - timedelta(seconds=silent_seconds)
    process = ServerProcess.objects.create(heartbeat_at=heartbeat_at)
    Connection.objects.create(process=process, user=who.user)
    return process


def test_a_process_that_lives_holds_its_people_online(alice: Person, bob: Person):
    process = connected_through_another_process(alice, silent_seconds=30)
    presence.reap_stale_processes()
    assert is_online(alice, seen_by=bob)
    process.delete()


def test_people_of_a_process_that_died_were_last_seen_at_its_last_heartbeat(
    alice: Person, bob: Person
):
    process = connected_through_another_process(alice, silent_seconds=41)
    assert not is_online(alice, seen_by=bob)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(tidily, presence.reap_stale_processes).result()
    assert not ServerProcess.objects.filter(id=process.id).exists()
    assert not Connection.objects.filter(user=alice.user).exists()
    last_seen = bob.rest.get(f"/users/{alice.id}").json()["last_seen"]
    assert last_seen == rfc3339(process.heartbeat_at)


async def test_a_first_heartbeat_and_a_first_connection_come_at_once(alice: Person, hold: Hold):
    writer = presence.PresenceWriter()
    reaping = hold(presence, "reap_stale_processes")
    beating = asyncio.create_task(in_upkeep_pool(writer._heartbeat))
    await reaping.found()  # the process is not known, and not stored yet
    connection_id = new_id()
    admitted = presence.admit_connections(writer.process_id, {connection_id: alice.user.id})
    reaping.let_go()
    await beating
    assert admitted == {connection_id}
    await writer.stop()


@pytest.mark.services
def test_a_connection_waits_for_the_heartbeat_that_stores_its_process(alice: Person):
    """On SQLite it could not even begin."""
    process, connection_id = ServerProcess(), new_id()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            process.save(force_insert=True)
            admitting = pool.submit(
                tidily, presence.admit_connections, process.id, {connection_id: alice.user.id}
            )
            time.sleep(0.3)
            assert not admitting.done()
        assert admitting.result() == {connection_id}
    process.delete()


async def test_who_is_connected_elsewhere_too_stays_online(alice: Person, bob: Person):
    async with alice.socket():
        connected_through_another_process(alice, silent_seconds=41)
        presence.reap_stale_processes()
        await asyncio.sleep(0.2)
        assert is_online(alice, seen_by=bob)
    assert User.objects.get(id=alice.id).is_active
