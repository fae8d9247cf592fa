"""Deleting a model: its pull ends first, and then it is gone by one rename."""

import asyncio
import logging
from contextlib import suppress

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_downloader import volume
from sirene_downloader.backlog import Backlog
from sirene_downloader.decisions import Stop
from sirene_downloader.delivery import Delivery
from sirene_downloader.jobs import Jobs
from sirene_downloader.lease import Lease, Sightings
from sirene_downloader.pull import Workshop
from sirene_downloader.statements import Statements
from sirene_downloader.states import States
from sirene_shared.errors import BusUnavailable, LeaseLost, PullError
from sirene_shared.messages import Control, DeleteCommand, InstallState, ModelStatus
from sirene_shared.names import ModelRef
from sirene_shared.subjects import CONTROL

log = logging.getLogger(__name__)

# How long a pull elsewhere may take to let go; after that the command comes again.
LET_GO_S = 5.0
POLL_S = 0.2
RETRY_S = 2.0


class Removal:
    def __init__(
        self,
        nc: Client,
        js: JetStreamContext,
        states: States,
        backlog: Backlog,
        jobs: Jobs,
        workshop: Workshop,
    ) -> None:
        self._nc = nc
        self._js = js
        self._states = states
        self._backlog = backlog
        self._jobs = jobs
        self._workshop = workshop
        self._sightings = Sightings()

    async def deliver(self, command: DeleteCommand, delivery: Delivery) -> None:
        try:
            if not await self._backlog.has_delete(command.ref, delivery.sequence):
                return  # it was delivered to us before we were stopped, and another has done it
            await self._end_pulls(command, delivery)
            lease = self._lease(command.ref)
            if not await self._take(lease):
                await delivery.again(RETRY_S)
                return
            # Once more, now that nobody else can be at it.
            if await self._backlog.has_delete(command.ref, delivery.sequence):
                await self._remove(command, delivery, lease)
            await lease.release()
        except LeaseLost:
            log.warning("%s is another downloader's to delete", command.ref.id)
        except BusUnavailable as error:
            log.info("deleting %s: %s; its command comes again", command.ref.id, error.message)

    async def _end_pulls(self, command: DeleteCommand, delivery: Delivery) -> None:
        """End what was asked for before this; a later pull wins over us. Raises: BusUnavailable."""
        job = self._jobs.running(command.ref)
        if job is not None and job.sequence < delivery.sequence:
            job.stop(Stop.CANCELLED)
            with suppress(TimeoutError):
                async with asyncio.timeout(LET_GO_S):
                    await job.ended.wait()
        waiting = await self._backlog.pull(command.ref)
        if waiting is None or waiting.sequence > delivery.sequence:
            return
        cancel = Control(
            job=waiting.command.job, action="cancel", model=command.model, variant=command.variant
        )
        with suppress(nats.errors.Error, OSError):
            await self._nc.publish(f"{CONTROL.prefix}.{cancel.job}", cancel.encode())
        await self._backlog.cancel(command.ref, cancel.job)

    def _lease(self, ref: ModelRef) -> Lease:
        staging = self._workshop.staging

        async def nobody_had_it() -> bool:
            return await self._workshop.on_disk(staging.holds, ref)

        return Lease(
            *(self._js, ref, f"{staging.writer}-delete"),
            may_go_on=nobody_had_it,
            sightings=self._sightings,
        )

    async def _take(self, lease: Lease) -> bool:
        """Raises: BusUnavailable."""
        deadline = asyncio.get_running_loop().time() + LET_GO_S
        while not await lease.take():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def _remove(self, command: DeleteCommand, delivery: Delivery, lease: Lease) -> None:
        """Raises: LeaseLost, BusUnavailable."""
        ref, work = command.ref, self._workshop
        state, error = InstallState.ABSENT, None
        size_bytes, freed_bytes, revision = 0, 0, ""
        statements = Statements(self._states, lease, (await self._states.read(ref))[1])
        try:
            # What goes, goes into a draft: one that another has taken away takes in nothing.
            draft = await work.on_disk(work.staging.draft, ref)
            await lease.confirm()
            if await work.on_disk(draft.take_in, work.store.directory(ref)):
                freed_bytes = await work.on_disk(draft.removed_bytes)
            await work.on_disk(work.staging.discard, ref)
            log.info("%s is deleted", ref.id)
        except PullError as problem:
            await lease.confirm()
            log.warning("deleting %s failed: %s (%s)", ref.id, problem.message, problem.code)
            record = await work.installed(ref)
            state = InstallState.INSTALLED if record else InstallState.FAILED
            size_bytes = record.size_bytes if record else 0
            revision = record.revision if record else ""
            error = problem.failure()
        is_said = await statements.put_surely(
            ModelStatus(
                model=ref.model,
                variant=ref.variant,
                state=state,
                job=command.job,
                seq=1,
                size_bytes=size_bytes,
                freed_bytes=freed_bytes,
                revision=revision,
                error=error,
            )
        )
        if not is_said:
            return  # the command comes again, to us or to another
        await delivery.done()
        await self._backlog.announce(ref)  # a pull that was asked for since
        with suppress(PullError):
            await work.on_disk(volume.remove_if_empty, work.store.directory(ref).parent)
