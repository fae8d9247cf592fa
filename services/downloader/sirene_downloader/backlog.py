"""The commands that wait in the stream or are in work, read without taking them."""

import logging
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from sirene_downloader.decisions import QUEUED_SEQ, has_said_end, is_at_work
from sirene_downloader.delivery import bury
from sirene_downloader.entries import bus_errors
from sirene_downloader.states import States
from sirene_shared import bus
from sirene_shared.errors import Failure, InvalidRequest, PullCancelled
from sirene_shared.messages import InstallState, ModelStatus, PullCommand
from sirene_shared.names import ModelRef, check_job
from sirene_shared.subjects import COMMANDS, DELETE, PULL

log = logging.getLogger(__name__)


class Waiting(NamedTuple):
    command: PullCommand
    sequence: int
    subject: str
    body: bytes


class Malformed(NamedTuple):
    subject: str
    body: bytes
    sequence: int
    error: InvalidRequest


class Backlog:
    """Raises: BusUnavailable."""

    def __init__(self, js: JetStreamContext, states: States) -> None:
        self._js = js
        self._states = states

    async def pull(self, ref: ModelRef) -> Waiting | None:
        """The pull of this model that is not finished."""
        with bus_errors(f"looking for a pull of {ref.id!r}"):
            try:
                found = _read(await self._js.get_last_msg(COMMANDS, PULL.of(ref)))
            except NotFoundError:
                return None
        return found if isinstance(found, Waiting) else None

    async def pulls(self) -> AsyncIterator[Waiting]:
        """Every pull that is not finished, oldest first."""
        async for found in self.everything():
            if isinstance(found, Waiting):
                yield found

    async def everything(self) -> AsyncIterator[Waiting | Malformed]:
        """What lies on the subjects of pulls, oldest first."""
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
            yield _read(message)

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
                size_bytes=status.usable_bytes if status else 0,
                revision=status.revision if status else "",
            ),
            last=revision,
        )

    async def has_delete_before(self, ref: ModelRef, sequence: int) -> bool:
        """A delete of this model was asked for earlier than `sequence`, and is not done."""
        waiting = await self._delete_sequence(ref)
        return waiting is not None and waiting < sequence

    async def has_delete(self, ref: ModelRef, sequence: int) -> bool:
        """This delete is not done: one may be delivered, and carried out late, by another."""
        return await self._delete_sequence(ref) == sequence

    async def _delete_sequence(self, ref: ModelRef) -> int | None:
        with bus_errors(f"looking for a delete of {ref.id!r}"):
            try:
                return (await self._js.get_last_msg(COMMANDS, DELETE.of(ref))).seq or 0
            except NotFoundError:
                return None

    async def cancel(self, ref: ModelRef, job: str, *, is_leased: bool = False) -> None:
        """End a pull that nobody works on: its state says so, in case it is picked all the same,
        and its command goes, so that it does not stand in the way of a new one.

        is_leased: the caller has the model's lease, so that nobody works on it whatever the state
        says.
        """
        waiting = await self.pull(ref)
        if waiting is None or waiting.command.job != job:
            return
        status, revision = await self._states.read(ref)
        is_ours = status is not None and status.job == job
        if is_ours and is_at_work(status) and not is_leased:
            return  # whoever works on it has heard the same
        if has_said_end(status, job):
            await self.drop(waiting)  # too late: it has ended, and only was not answered
            return
        cancelled = PullCancelled(f"the pull of {ref.id!r} was cancelled").failure()
        # A queued pull of what is installed already keeps its size.
        is_installed = status is not None and status.usable_bytes > 0
        is_said = await self._states.put(
            ModelStatus(
                model=ref.model,
                variant=ref.variant,
                state=InstallState.INSTALLED if is_installed else InstallState.ABSENT,
                job=job,
                seq=status.seq + 1 if status and status.job == job else 1,
                size_bytes=status.usable_bytes if status else 0,
                revision=status.revision if status else "",
                error=cancelled,
            ),
            last=revision,
        )
        if is_said:
            log.info("the pull of %s was cancelled before it began", ref.id)
            await self.drop(waiting)

    async def requeue(self, waiting: Waiting) -> Waiting | None:
        """Ask again for what the bus has lost; None when another pull of the model waits by now."""
        with bus_errors("asking for a pull again"):
            try:
                ack = await self._js.publish(
                    waiting.subject, waiting.body, timeout=bus.JETSTREAM_TIMEOUT_S
                )
            except APIError as error:
                if error.err_code == bus.COMMAND_IS_QUEUED:
                    return None
                raise
        log.warning("the bus had lost the pull of %s: it is queued again", waiting.command.ref.id)
        return waiting._replace(sequence=ack.seq)

    async def drop(self, waiting: Waiting | Malformed) -> None:
        """Take it out of the queue."""
        subject, sequence = waiting.subject, waiting.sequence
        with bus_errors("taking a pull out of the queue"):
            try:
                # A stream made anew counts from 1: the number may be another command's by now.
                last = await self._js.get_last_msg(COMMANDS, subject)
                if (last.seq, last.data or b"") == (sequence, waiting.body):
                    await self._js.delete_msg(COMMANDS, sequence)
            except NotFoundError:
                log.debug("the command on %r was gone already", subject)
            except APIError as error:
                # Another downloader was first, between our two questions.
                log.debug("the command on %r: %s", subject, error.description)

    async def bury(self, waiting: Waiting | Malformed, error: Failure, tries: int = 1) -> None:
        """Make a dead letter of it, and then take it out of the queue."""
        subject, body, sequence = waiting.subject, waiting.body, waiting.sequence
        await bury(self._js, subject, body, tries, error, sequence)
        await self.drop(waiting)


def decode_pull(subject: str, body: bytes) -> PullCommand:
    """Raises: InvalidRequest."""
    try:
        command = PullCommand.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the command is malformed: {error}") from error
    check_job(command.job)
    # The subject's names are checked, and so are the command's when they are the same.
    if PULL.ref(subject) != command.ref:
        raise InvalidRequest("the command is for another model than its subject")
    return command


def _read(message: RawStreamMsg) -> Waiting | Malformed:
    subject, body, sequence = message.subject or "", message.data or b"", message.seq or 0
    try:
        return Waiting(decode_pull(subject, body), sequence, subject, body)
    except InvalidRequest as error:
        return Malformed(subject, body, sequence, error)
