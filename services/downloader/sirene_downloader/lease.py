"""Who may write a model's files now: an entry with a time to live, its revision the fence.

The entry alone does not stop a worker that was stopped between its last question and what it then
does. So whoever takes a lease also takes the model's draft away from any other writer
(Staging.fence), and what gives files their final name is a rename out of that draft.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

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
# An entry that nobody renews lasts no longer than this, whatever the server's clock says.
LASTS_S = 15.0


class Sightings:
    """Others' leases, measured by our own clock.

    The server ends an entry by its wall clock; set back by a day, a dead worker's lease would last
    a day. One that was not renewed for so long while we looked is over.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[str, tuple[int, float]] = {}

    def is_over(self, key: str, revision: int) -> bool:
        seen, since = self._seen.get(key, (0, 0.0))
        if seen != revision:
            self._seen[key] = revision, self._now()
            return False
        return self._now() - since > LASTS_S


async def _always() -> bool:
    return True


class Lease:
    """Held from take() to release(); renew() keeps it, confirm() proves it."""

    def __init__(
        self,
        js: JetStreamContext,
        ref: ModelRef,
        holder: str,
        *,
        may_go_on: Callable[[], Awaitable[bool]] = _always,
        sightings: Sightings | None = None,
    ) -> None:
        """may_go_on: asked when it ran out and nobody has it: whether nobody had it in between, and
        the work is wanted still. It may raise BusUnavailable."""
        self._js = js
        self._ref = ref
        self._holding = Holding(holder=holder)
        self._may_go_on = may_go_on
        self._sightings = sightings or Sightings()
        self._revision = 0
        self._ran_out = self._is_lost = False
        # The heartbeat and the work both ask.
        self._alone = asyncio.Lock()

    async def take(self) -> bool:
        """True when it is ours; False when another holds it. Raises: BusUnavailable."""
        async with self._alone:
            return await self._seize(await entries.read(self._js, LEASES, self._ref.key))

    async def renew(self) -> None:
        """Raises: LeaseLost when another has it, or had it meanwhile; BusUnavailable."""
        async with self._alone:
            if self._is_lost:
                raise self._lost()
            if not await self._write(self._revision):
                entry = await entries.read(self._js, LEASES, self._ref.key)
                # Ours still when only the answer to an earlier write was lost.
                self._ran_out |= entry.value != self._holding.encode()
                if not await self._seize(entry):
                    raise self._lost()
            # It ran out while the bus was gone or nothing moved: nobody has it, but one may have.
            if self._ran_out and not await self._may_go_on():
                await self.release()
                raise self._lost()
            self._ran_out = False

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

    def _lost(self) -> LeaseLost:
        self._is_lost = True
        return LeaseLost(
            f"another downloader has taken over {self._ref.id!r}",
            hint="Nothing is to be done: the other one finishes it.",
        )

    async def _seize(self, entry: entries.Entry) -> bool:
        is_free = entry.value is None or entry.value == self._holding.encode()
        if not (is_free or self._sightings.is_over(self._ref.key, entry.revision)):
            return False
        return await self._write(entry.revision)

    async def _write(self, last: int) -> bool:
        try:
            self._revision = await bus.put(
                self._js, LEASES, self._ref.key, self._holding, ttl_s=LEASES.ttl_s, last=last
            )
        except BadRequestError as error:
            if error.err_code not in entries.WRONG_LAST:
                raise BusUnavailable(f"the lease is refused: {error.description}") from error
            return False
        return True
