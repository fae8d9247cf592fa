"""Who may write a model's files now: an entry with a time to live, its revision the fence."""

import asyncio
import logging

from nats.js import JetStreamContext
from nats.js.errors import BadRequestError

from sirene_downloader import entries
from sirene_shared import bus
from sirene_shared.errors import BusUnavailable, LeaseLost
from sirene_shared.messages import Lease as Holding
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LEASES

log = logging.getLogger(__name__)

RETRY_S = 0.5


class Lease:
    """Held from take() to release(); renew() keeps it, confirm() proves it."""

    def __init__(self, js: JetStreamContext, ref: ModelRef, holder: str) -> None:
        self._js = js
        self._ref = ref
        self._holding = Holding(holder=holder)
        self._revision = 0

    async def take(self) -> bool:
        """True when it is ours; False when another holds it. Raises: BusUnavailable."""
        entry = await entries.read(self._js, LEASES, self._ref.key)
        if entry.value is not None and entry.value != self._holding.encode():
            return False
        return await self._write(entry.revision)

    async def renew(self) -> None:
        """Raises: LeaseLost when another has it, BusUnavailable."""
        if await self._write(self._revision):
            return
        # It ran out while the bus was gone or nothing moved, and nobody took it: it is ours again.
        if not await self.take():
            raise LeaseLost(
                f"another downloader has taken over {self._ref.id!r}",
                hint="Nothing is to be done: the other one finishes it.",
            )

    async def confirm(self) -> None:
        """Return once it is certain that it is ours, however long the bus is gone.

        Raises: LeaseLost.
        """
        while True:
            try:
                return await self.renew()
            except BusUnavailable:
                await asyncio.sleep(RETRY_S)

    async def release(self) -> None:
        """Let others have it at once; when the bus is gone it just runs out."""
        try:
            await entries.remove(self._js, LEASES, self._ref.key, self._revision)
        except BusUnavailable:
            log.debug("the lease of %s was not released: it runs out by itself", self._ref.id)

    async def _write(self, last: int) -> bool:
        try:
            self._revision = await bus.put(
                self._js, LEASES, self._ref.key, self._holding, ttl_s=LEASES.ttl_s, last=last
            )
        except BadRequestError:
            return False
        return True
