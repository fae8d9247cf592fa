"""The commands that wait in the stream or are in work, read without taking them."""

import logging
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from sirene_downloader.entries import bus_errors
from sirene_downloader.states import States
from sirene_shared.errors import InvalidRequest, PullCancelled
from sirene_shared.messages import InstallState, ModelStatus, PullCommand
from sirene_shared.names import ModelRef
from sirene_shared.subjects import COMMANDS, DELETE, PULL

log = logging.getLogger(__name__)

# The first of a job; the run that follows counts on from it.
QUEUED_SEQ = 1
IN_WORK = frozenset({InstallState.DOWNLOADING, InstallState.VERIFYING})


class Waiting(NamedTuple):
    command: PullCommand
    sequence: int


class Backlog:
    """Raises: BusUnavailable."""

    def __init__(self, js: JetStreamContext, states: States) -> None:
        self._js = js
        self._states = states

    async def pull(self, ref: ModelRef) -> Waiting | None:
        """The pull of this model that is not finished."""
        with bus_errors(f"looking for a pull of {ref.id!r}"):
            try:
                return _waiting(await self._js.get_last_msg(COMMANDS, PULL.of(ref)))
            except NotFoundError:
                return None

    async def pulls(self) -> AsyncIterator[Waiting]:
        """Every pull that is not finished, oldest first."""
        sequence = 0
        while True:
            with bus_errors("looking for pulls"):
                try:
                    message = await self._js.get_msg(
                        COMMANDS, seq=sequence + 1, subject=PULL.all, next=True
                    )
                except NotFoundError:
                    return
            sequence = message.seq or sequence + 1
            waiting = _waiting(message)
            if waiting is not None:
                yield waiting

    async def announce(self, ref: ModelRef) -> None:
        """Say that a pull of the model is queued, unless its state says more already."""
        waiting = await self.pull(ref)
        if waiting is None:
            return
        status, revision = await self._states.read(ref)
        if status and (status.state.is_active or status.job == waiting.command.job):
            return
        await self._states.put(
            ModelStatus(
                model=ref.model,
                variant=ref.variant,
                state=InstallState.QUEUED,
                job=waiting.command.job,
                seq=QUEUED_SEQ,
                size_bytes=status.size_bytes if status else 0,
                revision=status.revision if status else "",
            ),
            last=revision,
        )

    async def has_delete_before(self, ref: ModelRef, sequence: int) -> bool:
        """A delete of this model was asked for earlier than `sequence`, and is not done."""
        with bus_errors(f"looking for a delete of {ref.id!r}"):
            try:
                message = await self._js.get_last_msg(COMMANDS, DELETE.of(ref))
            except NotFoundError:
                return False
        return (message.seq or 0) < sequence

    async def cancel(self, ref: ModelRef, job: str) -> None:
        """End a pull that nobody works on: its state says so, in case it is delivered all the same,
        and its command goes, so that it does not stand in the way of a new one.
        """
        waiting = await self.pull(ref)
        if waiting is None or waiting.command.job != job:
            return
        status, revision = await self._states.read(ref)
        if status and status.job == job and status.state in IN_WORK:
            return  # whoever works on it has heard the same
        cancelled = PullCancelled(f"the pull of {ref.id!r} was cancelled").failure()
        # A queued pull of what is installed already keeps its size.
        is_installed = status is not None and status.size_bytes > 0
        is_ours = await self._states.put(
            ModelStatus(
                model=ref.model,
                variant=ref.variant,
                state=InstallState.INSTALLED if is_installed else InstallState.ABSENT,
                job=job,
                seq=status.seq + 1 if status and status.job == job else 1,
                size_bytes=status.size_bytes if status else 0,
                revision=status.revision if status else "",
                error=cancelled,
            ),
            last=revision,
        )
        if is_ours:
            log.info("the pull of %s was cancelled before it began", ref.id)
            await self._drop(waiting)

    async def _drop(self, waiting: Waiting) -> None:
        with bus_errors("taking a pull out of the queue"):
            try:
                await self._js.delete_msg(COMMANDS, waiting.sequence)
            except NotFoundError:
                log.debug("the pull %s was gone already", waiting.command.job)


def _waiting(message: RawStreamMsg) -> Waiting | None:
    try:
        command = PullCommand.decode(message.data or b"")
        if PULL.ref(message.subject or "") != command.ref:
            return None
    except (msgspec.MsgspecError, InvalidRequest, RecursionError):
        return None  # its delivery makes a dead letter of it
    return Waiting(command, message.seq or 0)
