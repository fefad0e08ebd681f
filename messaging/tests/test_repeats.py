"""The same message sent again, by whoever is not sure of an answer: it is stored once."""

import asyncio
import contextlib
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Connection
from chatproject.ids import new_id
from chatproject.testing import Person, SocketClient
from messaging.models import Message


@pytest.mark.services
async def test_fifty_messages_sent_sixteen_times_at_once_are_stored_fifty_times(
    alice: Person, group: dict[str, Any]
):
    """By every worker."""
    keys = [f"key-{number}" for number in range(50)]
    async with contextlib.AsyncExitStack() as stack:
        sockets: list[SocketClient] = []
        while len(sockets) < 8 or _processes_of(alice) < 2:
            sockets.append(await stack.enter_async_context(alice.socket()))
            assert len(sockets) < 50, "all sockets came to one process"
            await asyncio.sleep(0.05)
        over_sockets = (_send_each(socket, group, keys) for socket in sockets[-8:])
        over_rest = (asyncio.to_thread(_post_each, alice, group, keys) for _ in range(8))
        answers = await asyncio.gather(*over_sockets, *over_rest)
    ids = [{one["client_id"]: one["id"] for one in sixteenth} for sixteenth in answers]
    assert len(ids) == 16
    assert ids[0].keys() == set(keys)
    assert len(set(ids[0].values())) == 50
    assert all(one == ids[0] for one in ids)
    rows = Message.objects.filter(chat=group["id"], client_id__isnull=False)
    assert {(row.client_id, str(row.id)) for row in rows} == set(ids[0].items())
    assert rows.count() == 50


def _processes_of(who: Person) -> int:
    return Connection.objects.filter(user=who.user).values("process").distinct().count()


async def _send_each(
    socket: SocketClient, chat: dict[str, Any], keys: list[str]
) -> list[dict[str, Any]]:
    for key in keys:
        same = {"ref": key, "client_id": key, "content": "once"}
        await socket.send("message.send", chat_id=chat["id"], **same)
    return [(await socket.event("ok", ref=key))["message"] for key in keys]


def _post_each(who: Person, chat: dict[str, Any], keys: list[str]) -> list[dict[str, Any]]:
    return [who.says(chat, "once", client_id=key) for key in keys]


def test_the_database_itself_takes_a_client_id_once(alice: Person, group: dict[str, Any]):
    said = alice.says(group, "once", client_id="the-same")
    again = Message.objects.get(id=said["id"])
    again.pk, again.seq = new_id(), said["seq"] + 1
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save(force_insert=True)
