"""Hearing what every process publishes, through a layer that may fall silent without a word."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

from chatproject.ids import new_id
from chatproject.realtime import GROUP, Envelope, beat, bus

logger = logging.getLogger(__name__)

BEAT_SECONDS = 3
DEAF_SECONDS = 8
JOIN_SECONDS = 2


class Listener:
    """Sends beats to itself through the layer: as long as they arrive, everything does.

    When they stop, it joins the layer anew until they are back. A channel layer tells neither
    that it was cut off nor that it forgot who listens.
    """

    def __init__(self) -> None:
        self.is_deaf = False
        self._key = str(new_id())

    async def run(self, take: Callable[[Envelope], None]) -> None:
        """Gives what other processes send to ``take``, until cancelled."""
        self._take, self._heard_at = take, time.monotonic()
        while True:
            try:
                await self._join_and_hear()
            except Exception as error:
                self._say_deaf(error)
                await asyncio.sleep(1)

    async def _join_and_hear(self) -> None:
        """Returns when its own beats have not come back for a while."""
        layer = get_channel_layer()
        # wait_for would lose a cancel that comes when its work is done already, as in memory.
        async with asyncio.timeout(JOIN_SECONDS):
            channel = await layer.new_channel("hub")
            await layer.group_add(GROUP, channel)
        receiving = asyncio.create_task(self._receive(layer, channel))
        try:
            await self._beat_while_heard(receiving)
        finally:
            receiving.cancel()
            await asyncio.wait([receiving])
            async with asyncio.timeout(JOIN_SECONDS):
                await layer.flush()

    async def _receive(self, layer: Any, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            is_own = message["from"] == bus.id
            for envelope in (Envelope(*item) for item in message["batch"]):
                if envelope.target == "beat":
                    self._hear_beat(envelope)
                elif not is_own:
                    self._take(envelope)
                    await asyncio.sleep(0)  # sockets write before the next makes them look slow

    async def _beat_while_heard(self, receiving: "asyncio.Task[None]") -> None:
        joined_at = time.monotonic()
        while time.monotonic() - max(self._heard_at, joined_at) < DEAF_SECONDS:
            bus.send_away(beat(self._key))
            await asyncio.wait([receiving], timeout=BEAT_SECONDS)
            if receiving.done():
                receiving.result()
        self._say_deaf("its own beats did not come back")

    def _hear_beat(self, envelope: Envelope) -> None:
        if envelope.key == self._key:
            self._heard_at = time.monotonic()
            if self.is_deaf:
                self.is_deaf = False
                logger.warning("the channel layer is back")

    def _say_deaf(self, why: object) -> None:
        if not self.is_deaf:
            self.is_deaf = True
            logger.warning("the channel layer is away, reading the database: %r", why)


listener = Listener()
