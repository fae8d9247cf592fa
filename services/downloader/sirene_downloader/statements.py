"""What one holder of a model's lease says of its state: each word on top of the last one, so that a
run that has lost its model, and does not know it, is not heard."""

import asyncio
import logging

import msgspec

from sirene_downloader.decisions import has_said_end
from sirene_downloader.lease import Lease
from sirene_downloader.states import StateRefused, States
from sirene_shared.errors import BusUnavailable, LeaseLost
from sirene_shared.messages import ModelStatus

log = logging.getLogger(__name__)

RETRY_S = 0.5
# Who writes between our words are the few that say how a pull waits, once each.
TRIES = 20


class Statements:
    def __init__(self, states: States, lease: Lease, revision: int) -> None:
        """revision: of the state as it was read under the lease."""
        self._states = states
        self._lease = lease
        self._revision = revision
        self._said = -1
        self.is_lost = False
        """The word is another one's, or the job has ended without us."""
        # The ticks and the transitions both speak.
        self._alone = asyncio.Lock()

    async def put(self, status: ModelStatus) -> bool:
        """False: the lease is lost, and with it the word; or the bucket takes no states; or the job
        has ended.

        Raises: BusUnavailable.
        """
        try:
            return await self._put(status)
        except StateRefused as error:
            log.warning("%s: %s", status.ref.id, error)
            return False

    async def put_surely(self, status: ModelStatus) -> bool:
        """put(), however long the bus is gone; it is said, or False: the lease is lost.

        Raises: StateRefused.
        """
        while True:
            try:
                return await self._put(status)
            except BusUnavailable:
                await asyncio.sleep(RETRY_S)

    async def _put(self, status: ModelStatus) -> bool:
        """Raises: BusUnavailable, StateRefused."""
        async with self._alone:
            for _ in range(TRIES):
                status = msgspec.structs.replace(status, seq=max(status.seq, self._said + 1))
                written = await self._states.put(status, last=self._revision)
                if written is not None:
                    self._revision, self._said = written, status.seq
                    return True
                known, revision = await self._states.read(status.ref)
                if not self._is_our_last(known, status):
                    try:
                        await self._lease.renew()
                    except LeaseLost:
                        self.is_lost = True
                    # One that had the lease before us may have said it just before we spoke.
                    self.is_lost |= has_said_end(known, status.job)
                    if self.is_lost:
                        return False
                # Only now: it is what we may speak on top of.
                self._revision = revision
                if known is not None and known.job == status.job:
                    self._said = max(self._said, known.seq)
                    if self._is_our_last(known, status):
                        return True
        raise BusUnavailable(f"the state of {status.ref.id!r} is written by others all the time")

    @staticmethod
    def _is_our_last(known: ModelStatus | None, status: ModelStatus) -> bool:
        """It was written, and only the answer to that was lost."""
        return known is not None and known == msgspec.structs.replace(
            status, changed_at=known.changed_at
        )
