"""A process that goes deaf without being told notices, and hears again."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from channels.layers import get_channel_layer

from chatproject import listener
from chatproject.ids import new_id
from chatproject.listener import Listener
from chatproject.realtime import GROUP, Envelope, bus, marks_moved
from chatproject.testing import IS_SERVICES


@pytest.fixture
async def heard(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Envelope]]:
    """What a listener in a hurry has heard."""
    monkeypatch.setattr(listener, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(listener, "DEAF_SECONDS", 0.8)
    envelopes: list[Envelope] = []
    works = (bus.run(lambda _: None), Listener().run(envelopes.append))
    tasks = [asyncio.create_task(work) for work in works]
    yield envelopes
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _is_heard(envelopes: list[Envelope]) -> bool:
    envelope = marks_moved(new_id(), new_id())
    message = {"type": "events", "from": "another process", "batch": [list(envelope)]}
    await get_channel_layer().group_send(GROUP, message)
    await asyncio.sleep(0.2)
    return envelope in envelopes


def _fall_silent() -> None:
    """Without an error that anybody would see."""
    layer = get_channel_layer()
    if IS_SERVICES:
        layer._get_layer()._shards[0]._receive_task.cancel()
    else:
        layer.groups.clear()


async def test_a_layer_that_fell_silent_is_joined_anew(installation: None, heard: list[Envelope]):
    for _ in range(2):
        deadline = time.monotonic() + 10
        while not await _is_heard(heard):
            assert time.monotonic() < deadline
        _fall_silent()
        assert not await _is_heard(heard)
