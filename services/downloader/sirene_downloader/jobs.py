"""The pulls in work here: one for each model, from a command's delivery to the state it ends in."""

import asyncio
import logging
from collections import OrderedDict
from contextlib import suppress

from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_downloader.backlog import QUEUED_SEQ, Backlog
from sirene_downloader.delivery import Delivery
from sirene_downloader.ending import Ending
from sirene_downloader.job import Job, Stop
from sirene_downloader.lease import Lease
from sirene_downloader.pull import Pull, Workshop
from sirene_downloader.report import Report
from sirene_downloader.states import States
from sirene_shared.errors import (
    BusUnavailable,
    InvalidRequest,
    LeaseLost,
    ModelError,
    PullError,
    SireneError,
)
from sirene_shared.manifest import Catalogue
from sirene_shared.messages import InstallState, ModelStatus, PullCommand
from sirene_shared.names import ModelRef
from sirene_shared.store import InstallRecord
from sirene_shared.subjects import HEARTBEAT_S, MAX_DELIVERIES

log = logging.getLogger(__name__)

# Another downloader has the lease: what is waited for is the end of its time to live.
LEASE_RETRY_S = 2.0
# Another command for the same model is about to end.
BUSY_RETRY_S = 1.0
# Between the numbers of two runs of one job: they rise even when the last ticks were not stored.
SEQUENCE_GAP = 100
MAX_REMEMBERED = 1000
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
        # Cancelled, but not running here: their commands may still be delivered to us.
        self._cancelled: OrderedDict[str, Stop] = OrderedDict()
        self._left: list[Delivery] = []
        self._is_ending = False

    def running(self, ref: ModelRef) -> Job | None:
        return self._running.get(ref)

    async def deliver(self, command: PullCommand, delivery: Delivery) -> None:
        """Run the command to its end, unless a run of it is on: that one answers then."""
        if self._is_ending:
            self._left.append(delivery)
            return
        running = self._running.get(command.ref)
        if running is not None and running.command.job == command.job:
            running.delivery = delivery
            return
        if running is not None:
            await delivery.again(BUSY_RETRY_S)
            return
        job = self._running[command.ref] = Job(command, delivery)
        if command.job in self._cancelled:
            job.stop(self._cancelled[command.job])
        try:
            await self._lead(job)
        except BusUnavailable as error:
            log.info("%s: %s; its command comes again", command.ref.id, error.message)
        finally:
            del self._running[command.ref]
            job.ended.set()

    async def cancel(self, ref: ModelRef, name: str, *, keep: bool) -> None:
        """End the job, wherever it is: in work here, waiting, or about to be delivered to us.

        Raises: BusUnavailable.
        """
        reason = Stop.CANCELLED_KEEPING if keep else Stop.CANCELLED
        self._cancelled[name] = reason
        if len(self._cancelled) > MAX_REMEMBERED:
            self._cancelled.popitem(last=False)
        job = self._running.get(ref)
        if job is not None and job.command.job == name:
            job.stop(reason)
        else:
            await self._backlog.cancel(ref, name)

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

    async def hand_back(self) -> None:
        """Let what was left be delivered again; when nothing more is fetched here."""
        for delivery in self._left:
            await delivery.again()
        self._left.clear()

    async def _lead(self, job: Job) -> None:
        """Raises: BusUnavailable."""
        command, ref = job.command, job.command.ref
        status, _ = await self._states.read(ref)
        if _is_over(status, command.job):
            await job.delivery.done()  # only the answer had been lost
            return
        if await self._backlog.has_delete_before(ref, job.sequence):
            await job.delivery.again(BUSY_RETRY_S)
            return
        lease = Lease(self._js, ref, self._workshop.staging.writer)
        if not await lease.take():
            await job.delivery.again(LEASE_RETRY_S)
            return
        report = Report(
            self._nc,
            self._states,
            command,
            seq=status.seq + SEQUENCE_GAP if status and status.job == command.job else QUEUED_SEQ,
            attempt=job.delivery.tries,
        )
        ending = Ending(self._states, self._workshop, job, report)
        try:
            record = await self._run(job, lease, report)
        except LeaseLost:
            await ending.taken_over()
            return
        except PullError as error:
            await ending.failed(error)
        except SireneError as error:
            await ending.refused(error)
        except Exception:
            log.exception("pulling %s failed unforeseen", ref.id)
            await ending.refused(
                SireneError(
                    f"pulling {ref.id!r} failed in a way nobody foresaw",
                    hint="The downloader's log has the details; please report it.",
                )
            )
        else:
            if record is not None:
                await ending.installed(record)
            elif job.stop_reason is Stop.TAKEN_OVER:
                await ending.taken_over()
                return
            elif job.stop_reason is Stop.ENDING:
                self._left.append(job.delivery)
                if not self._nc.is_connected:
                    return  # the next one learns it from the queue
                await ending.left()
            else:
                await ending.cancelled(keep=job.stop_reason is Stop.CANCELLED_KEEPING)
        await lease.release()

    async def _run(self, job: Job, lease: Lease, report: Report) -> InstallRecord | None:
        """Raises: SireneError."""
        try:
            model = self._catalogue.find(job.command.model, job.command.variant)
        except (ModelError, InvalidRequest) as error:
            log.warning("a pull of %s: %s", job.command.ref.id, error.message)
            raise
        if job.delivery.tries > MAX_DELIVERIES:
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
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)

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
            await job.delivery.is_in_work()


def _is_over(status: ModelStatus | None, job: str) -> bool:
    """The job has come to an end that the volume does not show."""
    if status is None or status.job != job:
        return False
    return status.state is InstallState.FAILED or (
        not status.state.is_active and status.error is not None
    )
