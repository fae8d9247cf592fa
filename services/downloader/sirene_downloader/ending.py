"""How a pull ends: the steps of its end (decisions.py) are carried out.

Each only while the lease is proven ours: else the state, the command and the bytes are another
one's.
"""

import logging
from contextlib import suppress

from sirene_downloader.backlog import Backlog
from sirene_downloader.decisions import LOST, SAID, STEPS, End, Step
from sirene_downloader.job import Job
from sirene_downloader.lease import Lease
from sirene_downloader.pull import Workshop
from sirene_downloader.report import Report
from sirene_downloader.statements import Statements
from sirene_shared.errors import (
    BusUnavailable,
    Failure,
    LeaseLost,
    PullCancelled,
    PullError,
    SireneError,
)
from sirene_shared.messages import InstallState, ModelStatus
from sirene_shared.store import InstallRecord

log = logging.getLogger(__name__)

PAUSED_REASON = "paused"
OUT_OF_HOURS_REASON = "out of hours"
REASONS = {End.PAUSED: PAUSED_REASON, End.OUT_OF_HOURS: OUT_OF_HOURS_REASON}


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

    async def come_to(
        self, end: End, record: InstallRecord | None, error: SireneError | None
    ) -> None:
        """record: what was installed; error: what the pull met.

        Raises: StateRefused.
        """
        if end in (End.CANCELLED, End.CANCELLED_KEEPING):
            keeps = Step.DISCARD not in STEPS[end]
            error = PullCancelled(
                f"the pull of {self._ref.id!r} was cancelled",
                hint="Pull again: it goes on where it stopped." if keeps else "",
            )
        failure = error.failure() if error else None
        for step in STEPS[end]:
            if not await self._is_done(step, end, record, failure):
                for rest in LOST:
                    await self._is_done(rest, end, record, failure)
                return

    async def _is_done(
        self, step: Step, end: End, record: InstallRecord | None, failure: Failure | None
    ) -> bool:
        """False: the lease is lost. Raises: StateRefused."""
        match step:
            case Step.PROVE:
                return await self._is_ours()
            case Step.DISCARD:
                await self._discard()
            case Step.SAY:
                self._log(end, failure)
                return await self._statements.put_surely(await self._last(end, record, failure))
            case Step.MENTION:
                with suppress(BusUnavailable):
                    return await self._statements.put(await self._last(end, record, failure))
            case Step.ANSWER:
                await self._job.claim.done()
            case Step.BURY if failure is not None:
                await self._job.claim.give_up(failure, self._job.tries)
            case Step.PARK:
                await self._park()
            case Step.YIELD:
                await self._yield()
            case Step.RELEASE:
                await self._lease.release()
        return True

    async def _yield(self) -> None:
        """The command, the state and the lease are another one's; ours is only our draft, and that
        is of use to us while a pull of the model waits."""
        log.warning("%s is pulled by another downloader now, or by none", self._ref.id)
        with suppress(BusUnavailable):
            if await self._backlog.pull(self._ref) is not None:
                return
        with suppress(PullError):
            await self._workshop.on_disk(self._workshop.staging.discard_own, self._ref)

    async def _park(self) -> None:
        try:
            await self._workshop.on_disk(self._workshop.staging.park, self._ref)
        except PullError as error:
            # Then it is ours alone to go on with.
            log.warning("what came of %s was not laid aside: %s", self._ref.id, error.message)

    async def _is_ours(self) -> bool:
        """However long the bus is gone."""
        try:
            await self._lease.confirm()
        except LeaseLost:
            return False
        return True

    async def _discard(self) -> None:
        try:
            await self._workshop.on_disk(self._workshop.staging.discard, self._ref)
        except PullError as error:
            log.warning("what came of %s could not be removed: %s", self._ref.id, error.message)

    async def _last(
        self, end: End, record: InstallRecord | None, failure: Failure | None
    ) -> ModelStatus:
        """The volume has the last word: an older install that stays is still one."""
        state = SAID[end]
        if failure is not None:
            with suppress(PullError):
                record = await self._workshop.installed(self._ref)
            state = InstallState.INSTALLED if record else state
        return self._report.last(
            state,
            error=failure,
            size_bytes=record.size_bytes if record else 0,
            revision=record.revision if record else "",
            reason=REASONS.get(end, ""),
        )

    def _log(self, end: End, failure: Failure | None) -> None:
        why = f": {failure.message} ({failure.code})" if failure else ""
        level = logging.WARNING if SAID[end] is InstallState.FAILED else logging.INFO
        log.log(level, "the pull of %s is %s%s", self._ref.id, end.value, why)
