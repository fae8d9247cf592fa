"""How a pull ends: what is kept of it, what is said of it, and that its command is answered."""

import logging
from contextlib import suppress

from sirene_downloader.job import Job
from sirene_downloader.pull import Workshop
from sirene_downloader.report import Report
from sirene_downloader.states import States
from sirene_shared.errors import (
    BusUnavailable,
    DiskFull,
    Failure,
    PullCancelled,
    PullError,
    SireneError,
    VolumeUnwritable,
)
from sirene_shared.messages import InstallState
from sirene_shared.store import InstallRecord

log = logging.getLogger(__name__)


class Ending:
    def __init__(self, states: States, workshop: Workshop, job: Job, report: Report) -> None:
        self._states = states
        self._workshop = workshop
        self._job = job
        self._report = report
        self._ref = job.command.ref

    async def installed(self, record: InstallRecord) -> None:
        log.info("%s is installed: %d bytes", self._ref.id, record.size_bytes)
        await self._states.put_surely(
            self._report.last(
                InstallState.INSTALLED, size_bytes=record.size_bytes, revision=record.revision
            )
        )
        await self._job.claim.done()

    async def cancelled(self, *, keep: bool) -> None:
        log.info("the pull of %s was cancelled", self._ref.id)
        if not keep:
            await self._discard()
        error = PullCancelled(
            f"the pull of {self._ref.id!r} was cancelled",
            hint="Pull again: it goes on where it stopped." if keep else "",
        )
        await self._say(InstallState.ABSENT, error.failure())
        await self._job.claim.done()

    async def failed(self, error: PullError) -> None:
        """Final: a retry is a new pull, which goes on where this one stopped if that can help."""
        log.warning("the pull of %s failed: %s (%s)", self._ref.id, error.message, error.code)
        if not (error.retryable or isinstance(error, DiskFull | VolumeUnwritable)):
            await self._discard()
        if await self._say(InstallState.FAILED, error.failure()):
            await self._job.claim.done()

    async def refused(self, error: SireneError) -> None:
        """Not a pull that failed but a command, or we, in the wrong: operators get to see it."""
        await self._say(InstallState.FAILED, error.failure())
        await self._job.claim.give_up(error.failure(), self._job.tries)

    async def taken_over(self) -> None:
        """The command, the state and the lease are another one's; ours is only our draft."""
        log.warning("%s is pulled by another downloader now", self._ref.id)
        with suppress(PullError):
            await self._workshop.on_disk(self._workshop.staging.discard_own, self._ref)

    async def waits(self, state: InstallState, reason: str) -> None:
        """What came stays, for whichever downloader goes on with it; so does the command."""
        log.info("the pull of %s is %s", self._ref.id, reason)
        try:
            await self._workshop.on_disk(self._workshop.staging.park, self._ref)
        except PullError as error:
            # Then it is ours alone to go on with.
            log.warning("what came of %s was not laid aside: %s", self._ref.id, error.message)
        await self._states.put_surely(self._report.last(state, reason=reason))

    async def left(self) -> None:
        """It goes on as soon as a downloader is there."""
        with suppress(BusUnavailable):
            if not await self._states.put(self._report.last(InstallState.QUEUED)):
                await self.taken_over()

    async def _discard(self) -> None:
        try:
            await self._workshop.on_disk(self._workshop.staging.discard, self._ref)
        except PullError as error:
            log.warning("what came of %s could not be removed: %s", self._ref.id, error.message)

    async def _say(self, state: InstallState, error: Failure) -> bool:
        """The volume has the last word: an older install that stays is still one.

        False: another runs the job by now, and its command is the other's to answer.
        """
        record = None
        with suppress(PullError):
            record = await self._workshop.installed(self._ref)
        if record is not None:
            last = self._report.last(
                InstallState.INSTALLED,
                error=error,
                size_bytes=record.size_bytes,
                revision=record.revision,
            )
        else:
            last = self._report.last(state, error=error)
        return await self._states.put_surely(last)
