"""Pulls as a client sees them: asked for, joined, followed to the end, cancelled; and deletes."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from nats.js.errors import APIError, NotFoundError

from sirene_api.answers import Deleted, PullView
from sirene_api.catalog import Catalog
from sirene_api.events import HEARTBEAT, RETRY, Hub
from sirene_api.link import BusLink
from sirene_api.memory import Memory
from sirene_api.pull_events import ending_of, event_of
from sirene_api.wishes import Wishes
from sirene_shared.bus import COMMAND_IS_QUEUED
from sirene_shared.errors import BusUnavailable, ModelNotInstalled, PullNotFound
from sirene_shared.manifest import Model
from sirene_shared.messages import Control, DeleteCommand, InstallState, ModelStatus, PullCommand
from sirene_shared.names import ModelRef
from sirene_shared.subjects import COMMANDS, CONTROL, DELETE, PULL

log = logging.getLogger(__name__)

# A pull that has just ended still holds its subject until its command is acknowledged.
ACKNOWLEDGED_S = 3.0
DELETE_WAIT_S = 30.0
ON_VOLUME = (InstallState.INSTALLED, InstallState.DAMAGED)
DELETABLE = (*ON_VOLUME, InstallState.FAILED)


def new_job() -> str:
    return secrets.token_hex(8)


def model_key(ref: ModelRef) -> str:
    """The hub's key of a model."""
    return f"model/{ref.key}"


class Pulls:
    """Stateless: who runs what is in JetStream and in the mirrored state."""

    def __init__(
        self, catalog: Catalog, link: BusLink, hub: Hub, memory: Memory, wishes: Wishes
    ) -> None:
        self._catalog = catalog
        self._link = link
        self._hub = hub
        self._memory = memory
        self._wishes = wishes

    async def start_or_resume(self, model: Model, *, now: bool) -> tuple[PullView, bool]:
        """start(); and a pull that runs already and is paused goes on.

        Raises: BusUnavailable.
        """
        pull, is_new = await self.start(model, now=now)
        if not is_new and pull.state.is_active:
            await self._wishes.run_again(model.ref, pull.job, now=now)
        return pull, is_new

    async def start(
        self, model: Model, *, now: bool = False, repair: bool = False
    ) -> tuple[PullView, bool]:
        """The pull of this model and whether it is new: else joined, or long done.

        repair: one that looks into the files also when the model is installed.

        The command stream decides, not the mirrored state: it takes one pull of a model at a time.

        Raises: BusUnavailable.
        """
        await self._link.wait_for_state()
        ref = model.ref
        status = self._catalog.status(ref)
        if status.state is InstallState.INSTALLED and not repair:
            return PullView(id=ref.id, job=status.job, state=status.state), False
        deadline = time.monotonic() + ACKNOWLEDGED_S
        while True:
            command = PullCommand(
                model=ref.model,
                variant=ref.variant,
                job=new_job(),
                requested_at=time.time(),
                now=now,
                repair=repair,
            )
            if await self._publish(PULL.of(ref), command):
                return PullView(id=ref.id, job=command.job, state=InstallState.QUEUED), True
            job = await self._queued_job(ref)
            if job is not None:
                known = self._catalog.status_of_job(ref, job)
                state = known.state if known else InstallState.QUEUED
                if state.is_active or time.monotonic() > deadline:
                    return PullView(id=ref.id, job=job, state=state), False
            elif time.monotonic() > deadline:
                raise BusUnavailable(f"the pull of {ref.id!r} could not be queued")
            # It has ended, or is about to: its place is free in a moment.
            await asyncio.sleep(0.05)

    async def _publish(self, subject: str, command: PullCommand | DeleteCommand) -> bool:
        """False when such a command is queued or at work already. Raises: BusUnavailable."""
        with self._link.asking():
            try:
                await self._link.jetstream.publish(subject, command.encode())
            except APIError as error:
                if error.err_code == COMMAND_IS_QUEUED:
                    return False
                raise
        return True

    async def _queued_job(self, ref: ModelRef) -> str | None:
        """The job of the pull command that the stream holds. Raises: BusUnavailable."""
        with self._link.asking():
            try:
                message = await self._link.jetstream.get_last_msg(COMMANDS, PULL.of(ref))
            except NotFoundError:
                return None
        try:
            return PullCommand.decode(message.data or b"").job
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None  # somebody else's; the downloader gives it up

    async def running_job(self, ref: ModelRef) -> PullView | None:
        """The pull that is queued or at work. Raises: BusUnavailable."""
        await self._link.wait_for_state()
        status = self._catalog.status(ref)
        if status.state.is_active and status.job:
            return PullView(id=ref.id, job=status.job, state=status.state)
        job = await self._queued_job(ref)
        if job is None:
            return None
        # Its first word may have come meanwhile, or its last.
        known = self._catalog.status_of_job(ref, job)
        state = known.state if known else InstallState.QUEUED
        return PullView(id=ref.id, job=job, state=state) if state.is_active else None

    async def found(self, ref: ModelRef) -> PullView:
        """The pull that is queued, paused or at work. Raises: PullNotFound, BusUnavailable."""
        pull = await self.running_job(ref)
        if pull is None:
            raise PullNotFound(
                f"no pull of {ref.id!r} is queued or running",
                hint=f"GET /api/models/{ref.id} tells its state.",
                param="model",
            )
        return pull

    async def cancel(self, model: Model, *, keep: bool) -> PullView:
        """Raises: PullNotFound, BusUnavailable."""
        ref = model.ref
        pull = await self.found(ref)
        # It lasts until a downloader is there; the order is for the one that is.
        await self._wishes.change(ref, pull.job, action="cancel", keep=keep)
        order = Control(
            job=pull.job, action="cancel", model=ref.model, variant=ref.variant, keep=keep
        )
        with self._link.asking() as client:
            await client.publish(f"{CONTROL.prefix}.{pull.job}", order.encode())
        return pull

    async def events(
        self, ref: ModelRef, job: str, *, was_running: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """The pull as server-sent events: where it is at once, and the end last."""
        yield RETRY
        last = b""
        async with aclosing(self._hub.listen(model_key(ref))) as wakes:
            async for news in wakes:
                status = self._catalog.status_of_job(ref, job)
                if status is None and last and not news:
                    status = await self._lost(ref, job)
                is_first = not last and not was_running
                if is_first and status and status.state is InstallState.INSTALLED:
                    # It was there before: what went wrong then is not this pull's.
                    status = msgspec.structs.replace(status, error=None)
                current = event_of(ref, job, status)
                # Unchanged: another job's news, or the heartbeat.
                yield current if current != last else HEARTBEAT
                last = current
                if status is not None and not status.state.is_active:
                    return

    async def _lost(self, ref: ModelRef, job: str) -> ModelStatus | None:
        """An end for a pull that nobody knows any more; None while it is still queued."""
        try:
            queued = await self._queued_job(ref)
        except BusUnavailable:
            return None
        known = self._catalog.status_of_job(ref, job)
        return known if queued == job or known else ending_of(self._catalog.status(ref))

    async def delete(self, model: Model) -> Deleted:
        """Free the model's memory, then its files; of a pull that failed, what came of it and that
        it failed.

        Raises: ModelNotInstalled; ModelInUse when it still speaks; BusUnavailable.
        """
        await self._link.wait_for_state()
        ref = model.ref
        before = self._catalog.status(ref)
        if before.state not in DELETABLE:
            raise ModelNotInstalled(
                f"{ref.id!r} is not installed, it is {before.state}",
                hint="A running pull is ended with /cancel." if before.state.is_active else "",
                param="model",
            )
        await self._memory.free(ref)
        command = DeleteCommand(
            model=ref.model, variant=ref.variant, job=new_job(), requested_at=time.time()
        )
        await self._publish(DELETE.of(ref), command)
        try:
            async with asyncio.timeout(DELETE_WAIT_S):
                freed_bytes = await self._until_gone(ref, command.job, before.job)
        except TimeoutError:
            raise BusUnavailable(
                f"no downloader has deleted {ref.id!r} yet",
                hint="The order is kept: it is carried out as soon as a downloader is back.",
            ) from None
        return Deleted(id=ref.id, freed_bytes=freed_bytes)

    async def _until_gone(self, ref: ModelRef, job: str, job_before: str) -> int:
        """How many bytes that gave back. Raises: the error that the downloader met."""
        async with aclosing(self._hub.listen(model_key(ref))) as wakes:
            async for _ in wakes:
                status = self._catalog.status(ref)
                if status.job == job and status.error:
                    raise status.error.error()
                if status.state not in ON_VOLUME and status.job != job_before:
                    return status.freed_bytes
        return 0  # the API ends
