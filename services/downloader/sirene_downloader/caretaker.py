"""Keeps the bus as declared and its states true, whatever happens to the server's store."""

import asyncio
import logging
from contextlib import suppress

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from sirene_downloader.entries import bus_errors
from sirene_downloader.inventory import Inventory
from sirene_shared import bus
from sirene_shared.errors import BusUnavailable
from sirene_shared.subjects import BUCKETS, COMMANDS, DELETE_CONSUMER, PULL_CONSUMER

log = logging.getLogger(__name__)

# How soon it is seen that the server lost its streams while it stayed up.
LOOK_S = 5.0


class Caretaker:
    def __init__(self, nc: Client, inventory: Inventory, bus_is_back: asyncio.Event) -> None:
        """bus_is_back: set by whoever hears that the connection was made anew."""
        self._nc = nc
        self._inventory = inventory
        self._bus_is_back = bus_is_back

    async def run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._bus_is_back.wait()
            if not self._nc.is_connected:
                continue
            is_back = self._bus_is_back.is_set()
            self._bus_is_back.clear()
            try:
                if is_back or not await self._is_whole():
                    await bus.bootstrap_when_ready(self._nc)
                    await self.reconcile()
            except BusUnavailable as error:
                log.debug("%s", error.message)
            except Exception:
                # Without its caretaker the service would look well and not be.
                log.exception("the bus could not be looked after; once more in a moment")

    async def reconcile(self) -> None:
        try:
            log.info("%d models are installed", await self._inventory.reconcile())
        except BusUnavailable as error:
            self._bus_is_back.set()  # run() tries again
            log.info("the states are written later: %s", error.message)

    async def _is_whole(self) -> bool:
        """Raises: BusUnavailable."""
        js = self._nc.jetstream(timeout=bus.JETSTREAM_TIMEOUT_S)
        with bus_errors("looking at the streams"):
            try:
                for consumer in (PULL_CONSUMER, DELETE_CONSUMER):
                    await js.consumer_info(COMMANDS, consumer)
                for bucket in BUCKETS:
                    await bus.open_bucket(js, bucket)
            except NotFoundError:
                log.warning("the bus has lost its streams; they are made anew from the volume")
                return False
        return True
