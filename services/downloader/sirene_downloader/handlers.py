"""What the bus brings, checked: pull and delete commands, and control of jobs."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from sirene_downloader.backlog import Backlog
from sirene_downloader.delivery import Delivery
from sirene_downloader.jobs import Jobs
from sirene_downloader.removal import Removal
from sirene_shared.errors import BusUnavailable, InvalidRequest
from sirene_shared.messages import Control, DeleteCommand, PullCommand
from sirene_shared.names import ModelRef, check_job, check_model, check_variant
from sirene_shared.subjects import (
    COMMANDS,
    CONTROL,
    DELETE,
    DELETE_CONSUMER,
    PULL,
    PULL_CONSUMER,
    Subject,
)

log = logging.getLogger(__name__)

# A fetch that finds nothing ends after this long, and is made again.
FETCH_S = 5.0

Command = TypeVar("Command", PullCommand, DeleteCommand)


def register(
    broker: NatsBroker, js: JetStreamContext, jobs: Jobs, removal: Removal, *, pulls: int
) -> None:
    """pulls: how many at a time. Each is a subscriber of its own that takes one message: more
    workers in one subscriber would take messages ahead that nobody says are in work."""

    async def on_pull(message: NatsMessage) -> None:
        await _deliver(PULL, PullCommand, message.raw_message, js, jobs.deliver)

    async def on_delete(message: NatsMessage) -> None:
        await _deliver(DELETE, DeleteCommand, message.raw_message, js, removal.deliver)

    async def on_control(message: NatsMessage) -> None:
        await _control(message.raw_message, jobs)

    for subject, durable, handler, count in (
        (PULL, PULL_CONSUMER, on_pull, pulls),
        (DELETE, DELETE_CONSUMER, on_delete, 1),
    ):
        for slot in range(count):
            broker.subscriber(
                subject.all,
                stream=JStream(COMMANDS, declare=False),
                durable=durable,
                pull_sub=PullSub(batch_size=1, timeout=FETCH_S),
                ack_policy=AckPolicy.MANUAL,
                decoder=_undecoded,
                title=f"{durable}-{slot}",
            )(handler)
    # A reply to a broadcast would be one of many, and an empty one.
    broker.subscriber(CONTROL.all, no_reply=True, decoder=_undecoded)(on_control)


async def announce(backlog: Backlog, message: Msg) -> None:
    """A pull command passed by: say that it is queued, long before anyone is free for it."""
    try:
        await backlog.announce(PULL.ref(message.subject))
    except (InvalidRequest, BusUnavailable) as error:
        log.debug("not announced: %s", error.message)


async def _undecoded(message: StreamMessage[Msg]) -> bytes:
    """FastStream drops what it cannot decode, and then it would come again for ever."""
    return message.raw_message.data


async def _deliver(
    subject: Subject,
    kind: type[Command],
    message: Msg,
    js: JetStreamContext,
    work: Callable[[Command, Delivery], Awaitable[None]],
) -> None:
    delivery = Delivery(js, message)
    try:
        command = _decode(subject, kind, message)
    except InvalidRequest as error:
        await delivery.give_up(error.failure())
        return
    try:
        await work(command, delivery)
    except Exception:
        # FastStream would drop it without a word; the command comes again.
        log.exception("a command on %r was not carried out", message.subject)


def _decode(subject: Subject, kind: type[Command], message: Msg) -> Command:
    """Raises: InvalidRequest."""
    try:
        command = kind.decode(message.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the command is malformed: {error}") from error
    check_job(command.job)
    # The subject's names are checked, and so are the command's when they are the same.
    if subject.ref(message.subject) != command.ref:
        raise InvalidRequest("the command is for another model than its subject")
    return command


async def _control(message: Msg, jobs: Jobs) -> None:
    try:
        control = Control.decode(message.data)
        check_job(control.job)
        ref = ModelRef(check_model(control.model), check_variant(control.variant))
        if message.subject != f"{CONTROL.prefix}.{control.job}":
            raise InvalidRequest("the message is for another job than its subject")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidRequest) as error:
        log.warning("a control message is malformed: %s", error)
        return
    if control.action != "cancel":
        log.warning("%s: pulls cannot be paused yet", ref.id)
        return
    try:
        await jobs.cancel(ref, control.job, keep=control.keep)
    except BusUnavailable as error:
        log.warning("cancelling the pull of %s: %s", ref.id, error.message)
