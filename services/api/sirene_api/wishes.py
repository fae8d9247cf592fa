"""What is wanted of pulls that were commanded: read and written where downloaders look."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
from nats.js.errors import BadRequestError, KeyNotFoundError, NotFoundError

from sirene_api.link import BusLink
from sirene_shared import bus
from sirene_shared.errors import BusUnavailable
from sirene_shared.messages import PullCommand, Wish
from sirene_shared.names import ModelRef
from sirene_shared.subjects import COMMANDS, PULL, WISHES

# Two who change one wish at a time: the later one looks again.
TRIES = 10


class Waiting(NamedTuple):
    """A pull that is not finished, and what is wanted of it."""

    command: PullCommand
    sequence: int
    wish: Wish

    @property
    def place(self) -> tuple[float, int]:
        """Lower is taken first."""
        return self.wish.rank, self.sequence


class Wishes:
    """Raises: BusUnavailable."""

    def __init__(self, link: BusLink) -> None:
        self._link = link

    async def waiting(self) -> list[Waiting]:
        """Every pull that is queued, paused or at work, in the order of the queue."""
        found = [
            Waiting(command, sequence, (await self._read(command))[0])
            async for command, sequence in self._commands()
        ]
        return sorted(found, key=lambda one: one.place)

    async def change(self, ref: ModelRef, job: str, **fields: object) -> None:
        """What is wanted of this job from now on."""
        command = PullCommand(model=ref.model, variant=ref.variant, job=job)
        for _ in range(TRIES):
            wish, revision = await self._read(command)
            changed = msgspec.structs.replace(wish, **fields)
            if changed == wish:
                return
            with self._link.asking():
                try:
                    await bus.put(self._link.jetstream, WISHES, ref.key, changed, last=revision)
                except BadRequestError:
                    continue
            return
        raise BusUnavailable(f"too many change the pull of {ref.id!r} at once")

    async def run_again(self, ref: ModelRef, job: str, *, now: bool) -> None:
        """Whoever asks again for a paused pull wants it to go on."""
        wish, _ = await self._read(PullCommand(model=ref.model, variant=ref.variant, job=job))
        if wish.action == "pause" or (wish.action == "run" and now and not wish.now):
            await self.change(ref, job, action="run", now=now or wish.now)

    async def _read(self, command: PullCommand) -> tuple[Wish, int]:
        """The wish and the entry's revision."""
        revision, wish = 0, None
        with self._link.asking():
            try:
                bucket = await bus.open_bucket(self._link.jetstream, WISHES)
                entry = await bucket.get(command.ref.key)
                revision = entry.revision or 0
                wish = Wish.decode(entry.value or b"")
            except KeyNotFoundError as error:
                # A deleted key has a revision still; one that never was has none.
                revision = getattr(error.entry, "revision", None) or 0
            except (msgspec.MsgspecError, UnicodeDecodeError):
                pass  # of a version that we do not know: ours replaces it
        if wish is None or wish.job != command.job:
            wish = Wish(model=command.model, variant=command.variant, job=command.job)
        return wish, revision

    async def _commands(self) -> AsyncIterator[tuple[PullCommand, int]]:
        sequence = 0
        while True:
            with self._link.asking() as client:
                stream = client.jetstream(timeout=bus.JETSTREAM_TIMEOUT_S)
                try:
                    message = await stream.get_msg(
                        COMMANDS, seq=sequence + 1, subject=PULL.all, next=True
                    )
                except NotFoundError:
                    return
            sequence = message.seq or sequence + 1
            try:
                command = PullCommand.decode(message.data or b"")
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue  # somebody else's; the downloader gives it up
            yield command, sequence
