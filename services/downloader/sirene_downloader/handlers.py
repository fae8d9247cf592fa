"""What the bus brings, checked: deletes and control of jobs. Pulls are picked: dispatcher.py."""

import logging
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from faststream import AckPolicy
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.annotations import NatsMessage
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from sirene_downloader.backlog import Backlog, decode_pull
from sirene_downloader.delivery import Delivery
from sirene_downloader.dispatcher import Dispatcher
from sirene_downloader.jobs import Jobs
from sirene_downloader.removal import Removal
from sirene_downloader.wishes import Wishes
from sirene_shared.errors import BusUnavailable, InvalidRequest
from sirene_shared.messages import Control, DeleteCommand
from sirene_shared.names import ModelRef, check_job, check_model, check_variant
from sirene_shared.subjects import COMMANDS, CONTROL, DELETE, DELETE_CONSUMER

log = logging.getLogger(__name__)

# A fetch that finds nothing ends after this long, and is made again.
FETCH_S = 5.0


def register(
    broker: NatsBroker,
    js: JetStreamContext,
    jobs: Jobs,
    removal: Removal,
    backlog: Backlog,
    wishes: Wishes,
) -> None:
    async def on_delete(message: NatsMessage) -> None:
        await _deliver(message.raw_message, js, removal.deliver)

    async def on_control(message: NatsMessage) -> None:
        await _control(message.raw_message, jobs, backlog, wishes)

    broker.subscriber(
        DELETE.all,
        stream=JStream(COMMANDS, declare=False),
        durable=DELETE_CONSUMER,
        pull_sub=PullSub(batch_size=1, timeout=FETCH_S),
        ack_policy=AckPolicy.MANUAL,
        decoder=_undecoded,
        title=DELETE_CONSUMER,
    )(on_delete)
    # A reply to a broadcast would be one of many, and an empty one.
    broker.subscriber(CONTROL.all, no_reply=True, decoder=_undecoded)(on_control)


async def hear_pull(dispatcher: Dispatcher, backlog: Backlog, wishes: Wishes, message: Msg) -> None:
    """A pull command passes by, on its way into the stream, or refused since there is one: whoever
    asks again for a paused pull wants it to go on."""
    dispatcher.heard()
    try:
        command = decode_pull(message.subject, message.data)
        waiting = await backlog.pull(command.ref)
        if waiting is None or waiting.command.job == command.job:
            return
        if wishes.of(waiting.command).action == "pause":
            await wishes.change(waiting.command, action="run", now=command.now)
    except (InvalidRequest, BusUnavailable) as error:
        log.debug("a pull passed by: %s", error.message)


async def _undecoded(message: StreamMessage[Msg]) -> bytes:
    """FastStream drops what it cannot decode, and then it would come again for ever."""
    return message.raw_message.data


async def _deliver(
    message: Msg, js: JetStreamContext, work: Callable[[DeleteCommand, Delivery], Awaitable[None]]
) -> None:
    delivery = Delivery(js, message)
    try:
        command = _decode(message)
    except InvalidRequest as error:
        await delivery.give_up(error.failure())
        return
    try:
        await work(command, delivery)
    except Exception:
        # FastStream would drop it without a word; the command comes again.
        log.exception("a command on %r was not carried out", message.subject)


def _decode(message: Msg) -> DeleteCommand:
    """Raises: InvalidRequest."""
    try:
        command = DeleteCommand.decode(message.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the command is malformed: {error}") from error
    check_job(command.job)
    # The subject's names are checked, and so are the command's when they are the same.
    if DELETE.ref(message.subject) != command.ref:
        raise InvalidRequest("the command is for another model than its subject")
    return command


async def _control(message: Msg, jobs: Jobs, backlog: Backlog, wishes: Wishes) -> None:
    try:
        control = Control.decode(message.data)
        check_job(control.job)
        ref = ModelRef(check_model(control.model), check_variant(control.variant))
        if message.subject != f"{CONTROL.prefix}.{control.job}":
            raise InvalidRequest("the message is for another job than its subject")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidRequest) as error:
        log.warning("a control message is malformed: %s", error)
        return
    action: Literal["run", "pause", "cancel"] = (
        "run" if control.action == "resume" else control.action
    )
    try:
        # The wish lasts: also when whoever runs the job dies in this moment.
        waiting = await backlog.pull(ref)
        if waiting is not None and waiting.command.job == control.job:
            await wishes.change(waiting.command, action=action, keep=control.keep)
        if action == "cancel":
            await jobs.cancel(ref, control.job, keep=control.keep)
    except BusUnavailable as error:
        log.warning("%s of the pull of %s: %s", control.action, ref.id, error.message)
