"""A hub that tests feed by hand, and a group of which no server hears."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chatproject.testing import Person
from chats import actions as chat_actions
from messaging import consumers
from messaging.hub import Hub
from messaging.tests.hubs import Document, Door, opened


@pytest.fixture
async def hub(installation: None) -> AsyncIterator[Hub]:
    """A hub that listens to no layer: it hears nothing but what a test gives it."""
    deaf = Hub()
    deaf._loop = asyncio.get_running_loop()  # it is started
    deaf._spawn(deaf.presence.run())  # it admits sockets
    yield deaf
    await deaf.stop()


@pytest.fixture
def door(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Door:
    """Opens sockets of that hub from outside, in this process: ``async with door(alice) as …``."""
    monkeypatch.setattr(consumers, "hub", hub)
    return opened


@pytest.fixture
def quiet_group(alice: Person, bob: Person) -> Document:
    """A group that the server under test has nothing to do with."""
    group = chat_actions.create_group(actor=alice.user, name="Quiet", members=[bob.user])
    return {"id": str(group.id), "version": group.version, "last_seq": group.last_seq}
