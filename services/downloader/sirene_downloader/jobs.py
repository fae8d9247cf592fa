"""The pulls in work here: one for each model, from its command's pick to the state it ends in."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_downloader.answered import is_told
from sirene_downloader.backlog import Backlog
from sirene_downloader.claim import Claim
from sirene_downloader.decisions import End, Stop, end_of, first_seq, is_over, is_worn_out, tries_of
from sirene_downloader.ending import Ending
from sirene_downloader.job import Job
from sirene_downloader.lease import Lease, Sightings
from sirene_downloader.pull import Pull, Workshop
from sirene_downloader.report import Report
from sirene_downloader.statements import Statements
from sirene_downloader.states import States
from sirene_downloader.tenure import Tenure
from sirene_shared.ending import end
from sirene_shared.errors import (
    BusUnavailable,
    InvalidRequest,
    LeaseLost,
    ModelError,
    PullError,
    SireneError,
)
from sirene_shared.manifest import Catalogue
from sirene_shared.messages import ModelStatus, PullCommand
from sirene_shared.names import ModelRef
from sirene_shared.store import InstallRecord
from sirene_shared.subjects import HEARTBEAT_S, MAX_DELIVERIES

log = logging.getLogger(__name__)

# Another downloader has the lease: what is waited for is the end of its time to live.
LEASE_RETRY_S = 2.0
# Another command for the same model is about to end.
BUSY_RETRY_S = 1.0
CLOSE_S = 5.0


class Jobs:
    def __init__(
        self,
        nc: Client,
        js: JetStreamContext,
        states: States,
        backlog: Backlog,
        catalogue: Catalogue,
        workshop: Workshop,
    ) -> None:
        self._nc = nc
        self._js = js
        self._states = states
        self._backlog = backlog
        self._catalogue = catalogue
        self._workshop = workshop
        self._running: dict[ModelRef, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sightings = Sightings()
        self._is_ending = False
        self.on_ended: Callable[[Claim], None] = lambda claim: None
        """Called after each run, whatever came of it."""

    def running(self, ref: ModelRef) -> Job | None:
        return self._running.get(ref)

    def all(self) -> list[Job]:
        return list(self._running.values())

    def start(self, command: PullCommand, claim: Claim) -> None:
        """Run the command to its end; no other of its model runs here."""
        if self._is_ending or command.ref in self._running:
            return
        job = self._running[command.ref] = Job(command, claim)
        task = asyncio.create_task(self._work(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, job: Job) -> None:
        ref = job.command.ref
        try:
            await self._lead(job)
        except BusUnavailable as error:
            log.info("%s: %s; its command is taken up again", ref.id, error.message)
            job.claim.again(BUSY_RETRY_S)
        except Exception:
            log.exception("the pull of %s was not carried out", ref.id)
            job.claim.again(LEASE_RETRY_S)
        finally:
            del self._running[ref]
            job.ended.set()
            self.on_ended(job.claim)

    async def cancel(self, ref: ModelRef, name: str, *, keep: bool) -> None:
        """End the job, wherever it is: in work here, paused, or waiting.

        Raises: BusUnavailable.
        """
        job = self._running.get(ref)
        if job is not None and job.command.job == name:
            job.stop(Stop.CANCELLED_KEEPING if keep else Stop.CANCELLED)
            return
        staging = self._workshop.staging
        lease = Lease(self._js, ref, f"{staging.writer}-cancel", sightings=self._sightings)
        if not await lease.take():
            return  # whoever has it hears the same
        try:
            waiting = await self._backlog.pull(ref)
            if waiting is None or waiting.command.job != name:
                return
            with suppress(PullError):
                await self._workshop.on_disk(staging.fence, ref)
                if not keep:
                    await self._workshop.on_disk(staging.discard, ref)
            await self._backlog.cancel(ref, name, is_leased=True)
        finally:
            await lease.release()

    async def has_ended(self, status: ModelStatus | None, name: str) -> bool:
        """The job has, and only its command was not answered."""
        return is_over(status, name) or await is_told(status, name, self._workshop)

    async def close(self) -> None:
        """Stop every pull so that it goes on elsewhere, or here after a restart, at once."""
        self._is_ending = True
        jobs = list(self._running.values())
        for job in jobs:
            job.stop(Stop.ENDING)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                for job in jobs:
                    await job.ended.wait()

    async def _lead(self, job: Job) -> None:
        """Raises: BusUnavailable."""
        command, ref = job.command, job.command.ref
        status, _ = await self._states.read(ref)
        if await self.has_ended(status, command.job):
            await job.claim.done()  # only the answer had been lost
            return
        if await self._backlog.has_delete_before(ref, job.sequence):
            job.claim.again(BUSY_RETRY_S)
            return
        staging = self._workshop.staging
        tenure = Tenure(job, self._backlog, self._states, staging)
        lease = Lease(
            *(self._js, ref, staging.writer), may_go_on=tenure.goes_on, sightings=self._sightings
        )
        if not await lease.take():
            await self._backlog.announce(ref)
            job.claim.again(LEASE_RETRY_S)
            return
        waiting = await self._backlog.pull(ref)
        if waiting is None or waiting.sequence != job.sequence:
            await lease.release()  # another downloader had it, and is done
            return
        status, revision = await self._states.read(ref)
        try:
            # It may have run out before that was read: then it is not ours to speak on top of it.
            await lease.renew()
        except LeaseLost:
            job.claim.again(LEASE_RETRY_S)
            return
        if await self.has_ended(status, command.job):
            await job.claim.done()  # by one that had the lease before
            await lease.release()
            return
        before = status if status and status.job == command.job else None
        job.tries = tries_of(status, command.job)
        statements = Statements(self._states, lease, revision)
        report = Report(
            self._nc,
            statements,
            command,
            seq=first_seq(status, command.job),
            attempt=job.tries,
            before=before.transfer if before else None,
            standing=status,
        )
        ending = Ending(lease, statements, self._backlog, self._workshop, job, report)
        record, error = None, None
        try:
            record = await self._run(job, lease, report)
        except SireneError as met:
            error = met
        except Exception:
            log.exception("pulling %s failed unforeseen", ref.id)
            error = SireneError(
                f"pulling {ref.id!r} failed in a way nobody foresaw",
                hint="The downloader's log has the details; please report it.",
            )
        outcome = end_of(error, job.stop_reason, has_installed=record is not None)
        if outcome is End.LEFT and not self._nc.is_connected:
            return  # the next one learns it from the queue
        await ending.come_to(outcome, record, error)

    async def _run(self, job: Job, lease: Lease, report: Report) -> InstallRecord | None:
        """Raises: SireneError."""
        try:
            model = self._catalogue.find(job.command.model, job.command.variant)
        except (ModelError, InvalidRequest) as error:
            log.warning("a pull of %s: %s", job.command.ref.id, error.message)
            raise
        if is_worn_out(job.tries):
            raise SireneError(
                f"pulling {model.ref.id!r} was begun {MAX_DELIVERIES} times and never came to an"
                " end",
                hint="The downloader's log may say why; pull again to go on where it stopped.",
            )
        beside = [
            asyncio.create_task(self._keep(job, lease, report)),
            asyncio.create_task(report.run()),
        ]
        try:
            pull = Pull(
                *(self._workshop, model, lease, report, job.commits), repair=job.command.repair
            )
            return await job.run(pull)
        finally:
            await end(beside)

    async def _keep(self, job: Job, lease: Lease, report: Report) -> None:
        """Say that the work goes on, as long as it does: a hung one loses command and lease."""
        seen = report.steps
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            goes_on, seen = report.steps != seen or report.is_resting, report.steps
            if not goes_on or not self._nc.is_connected:
                continue
            # The lease first: it shall have run out when the command is delivered again.
            try:
                await lease.renew()
            except BusUnavailable:
                log.debug("the lease of %s is renewed later", job.command.ref.id)
            except LeaseLost:
                job.stop(Stop.TAKEN_OVER)
                return
