"""How a pull ends: what is kept of it, what is said of it, and that its command is answered.

In this order, and each step only while the lease is proven ours: else the state, the command and
the bytes are another one's. What could not be said leaves the command where it is, so that whoever
takes it up next says it.
"""

import logging
from contextlib import suppress

from sirene_downloader.backlog import Backlog
from sirene_downloader.job import Job
from sirene_downloader.lease import Lease
from sirene_downloader.pull import Workshop
from sirene_downloader.report import Report
from sirene_downloader.statements import Statements
from sirene_shared.errors import (
    BusUnavailable,
    DiskFull,
    Failure,
    LeaseLost,
    PullCancelled,
    PullError,
    SireneError,
    VolumeUnwritable,
)
from sirene_shared.messages import InstallState, ModelStatus
from sirene_shared.store import InstallRecord

log = logging.getLogger(__name__)


class Ending:
    def __init__(
        self,
        lease: Lease,
        statements: Statements,
        backlog: Backlog,
        workshop: Workshop,
        job: Job,
        report: Report,
    ) -> None:
        self._lease = lease
        self._statements = statements
        self._backlog = backlog
        self._workshop = workshop
        self._job = job
        self._report = report
        self._ref = job.command.ref

    async def installed(self, record: InstallRecord) -> None:
        log.info("%s is installed: %d bytes", self._ref.id, record.size_bytes)
        last = self._report.last(
            InstallState.INSTALLED, size_bytes=record.size_bytes, revision=record.revision
        )
        if await self._is_said(last):
            await self._job.claim.done()

    async def cancelled(self, *, keep: bool) -> None:
        if not await self._is_ours():
            return
        log.info("the pull of %s was cancelled", self._ref.id)
        if not keep:
            await self._discard()
        error = PullCancelled(
            f"the pull of {self._ref.id!r} was cancelled",
            hint="Pull again: it goes on where it stopped." if keep else "",
        )
        if await self._is_said(await self._last(InstallState.ABSENT, error.failure())):
            await self._job.claim.done()

    async def failed(self, error: PullError) -> None:
        """Final: a retry is a new pull, which goes on where this one stopped if that can help."""
        if not await self._is_ours():
            return
        log.warning("the pull of %s failed: %s (%s)", self._ref.id, error.message, error.code)
        if not (error.retryable or isinstance(error, DiskFull | VolumeUnwritable)):
            await self._discard()
        if await self._is_said(await self._last(InstallState.FAILED, error.failure())):
            await self._job.claim.done()

    async def refused(self, error: SireneError) -> None:
        """Not a pull that failed but a command, or we, in the wrong: operators get to see it."""
        if not await self._is_ours():
            return
        if await self._is_said(await self._last(InstallState.FAILED, error.failure())):
            await self._job.claim.give_up(error.failure(), self._job.tries)

    async def taken_over(self) -> None:
        """The command, the state and the lease are another one's; ours is only our draft, and that
        is of use to us while a pull of the model waits."""
        log.warning("%s is pulled by another downloader now, or by none", self._ref.id)
        with suppress(BusUnavailable):
            if await self._backlog.pull(self._ref) is not None:
                return
        with suppress(PullError):
            await self._workshop.on_disk(self._workshop.staging.discard_own, self._ref)

    async def waits(self, state: InstallState, reason: str) -> None:
        """What came stays, for whichever downloader goes on with it; so does the command."""
        if not await self._is_ours():
            return
        log.info("the pull of %s is %s", self._ref.id, reason)
        # Said first: what is laid aside is no longer shown to be ours.
        if not await self._is_said(self._report.last(state, reason=reason)):
            return
        try:
            await self._workshop.on_disk(self._workshop.staging.park, self._ref)
        except PullError as error:
            # Then it is ours alone to go on with.
            log.warning("what came of %s was not laid aside: %s", self._ref.id, error.message)

    async def left(self) -> None:
        """It goes on as soon as a downloader is there."""
        with suppress(BusUnavailable):
            if not await self._statements.put(self._report.last(InstallState.QUEUED)):
                await self.taken_over()

    async def _is_ours(self) -> bool:
        """However long the bus is gone."""
        try:
            await self._lease.confirm()
        except LeaseLost:
            await self.taken_over()
            return False
        return True

    async def _is_said(self, last: ModelStatus) -> bool:
        """Raises: StateRefused."""
        if await self._statements.put_surely(last):
            return True
        await self.taken_over()
        return False

    async def _discard(self) -> None:
        try:
            await self._workshop.on_disk(self._workshop.staging.discard, self._ref)
        except PullError as error:
            log.warning("what came of %s could not be removed: %s", self._ref.id, error.message)

    async def _last(self, state: InstallState, error: Failure) -> ModelStatus:
        """The volume has the last word: an older install that stays is still one."""
        record = None
        with suppress(PullError):
            record = await self._workshop.installed(self._ref)
        if record is None:
            return self._report.last(state, error=error)
        return self._report.last(
            InstallState.INSTALLED,
            error=error,
            size_bytes=record.size_bytes,
            revision=record.revision,
        )
