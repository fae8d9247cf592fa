"""A command as JetStream delivered it: answered once, and never lost by a bus that is away."""

import hashlib
import logging
from contextlib import suppress

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from sirene_downloader.entries import bus_errors
from sirene_shared.dead_letter import DeadLetter
from sirene_shared.errors import BusUnavailable, Failure
from sirene_shared.subjects import DEAD

log = logging.getLogger(__name__)

ACK_S = 5.0
DEAD_LETTER_S = 5.0
MAX_BODY = 64 << 10


class Delivery:
    """The newest delivery of one command: a command in work may be delivered again."""

    def __init__(self, js: JetStreamContext, message: Msg) -> None:
        self._js = js
        self.message = message

    @property
    def tries(self) -> int:
        return self.message.metadata.num_delivered

    @property
    def sequence(self) -> int:
        """The command's place in the stream: the later of two commands wins."""
        return self.message.metadata.sequence.stream

    async def is_in_work(self) -> None:
        with suppress(nats.errors.Error, OSError):
            await self.message.in_progress()

    async def done(self) -> None:
        """Never to be delivered again. A lost answer is no harm: the next delivery sees the end."""
        with suppress(nats.errors.Error, TimeoutError, OSError):
            await self.message.ack_sync(timeout=ACK_S)

    async def again(self, after_s: float = 0.0) -> None:
        """To be delivered again, to whoever is free."""
        with suppress(nats.errors.Error, OSError):
            await self.message.nak(delay=after_s or None)

    async def give_up(self, error: Failure) -> None:
        """Into the dead letters, for an operator to see, and only then out of the queue."""
        message = self.message
        try:
            await bury(self._js, message.subject, message.data, self.tries, error, self.sequence)
        except BusUnavailable:
            return  # it comes again
        with suppress(nats.errors.Error, OSError):
            await message.term()


async def bury(
    js: JetStreamContext, subject: str, body: bytes, tries: int, error: Failure, sequence: int
) -> None:
    """Keep a command as a dead letter; once, though several downloaders may see it.

    Raises: BusUnavailable.
    """
    letter = DeadLetter(
        subject=subject,
        body=body[:MAX_BODY].decode("utf-8", "backslashreplace")[:MAX_BODY],
        deliveries=tries,
        error=error,
    )
    with bus_errors("keeping a dead letter"):
        await js.publish(
            f"{DEAD.prefix}.{subject.removeprefix('sirene.v1.')}",
            letter.encode(),
            timeout=DEAD_LETTER_S,
            headers={"Nats-Msg-Id": f"{subject}/{sequence}/{hash_of(body)}"},
        )
    log.warning("a command on %r was given up: %s", subject, error.message)


def hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]
