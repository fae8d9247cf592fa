"""What a pull tells while it runs: ticks for whoever watches, its state for whoever looks.

Ticks leave at most four times a second on PROGRESS; the state is written at transitions and at
most once a second between, since the bucket is synced to disk at every write.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec
import nats.errors
from nats.aio.client import Client

from sirene_downloader.statements import Statements
from sirene_shared.errors import BusUnavailable, Failure, LeaseLost
from sirene_shared.messages import InstallState, ModelStatus, Phase, Progress, PullCommand, Transfer
from sirene_shared.subjects import PROGRESS

log = logging.getLogger(__name__)

TICK_S = 0.25
STATE_S = 1.0
# The speed forgets what is older than a few of these, and is zero after so long without a byte.
SMOOTHING_S = 3.0
STALLED_S = 5.0


class Speed:
    """Bytes a second, smoothed; zero when nothing comes."""

    def __init__(self, now: float) -> None:
        self._at = self._moved_at = now
        self._value = 0.0

    def after(self, size_bytes: int, now: float) -> float:
        """size_bytes: what came since the last call."""
        elapsed_s = now - self._at
        if elapsed_s > 0:
            weight = 1 - math.exp(-elapsed_s / SMOOTHING_S)
            # From the first measurement on it is a fair estimate, not one that climbs from zero.
            weight = weight if self._value else 1.0
            self._value += weight * (size_bytes / elapsed_s - self._value)
            self._at = now
        if size_bytes:
            self._moved_at = now
        elif now - self._moved_at >= STALLED_S:
            self._value = 0.0
        return round(self._value, 1)


class Report:
    def __init__(
        self,
        nc: Client,
        states: Statements,
        command: PullCommand,
        *,
        seq: int,
        attempt: int,
        before: Transfer | None = None,
        standing: ModelStatus | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """before: where an earlier run stopped; it counts until this one knows where it is.
        standing: an install that speaks until this pull is done."""
        self._nc = nc
        self._states = states
        self._command = command
        self._now = now
        self._seq = seq
        self._attempt = self._begun = attempt
        self._phase = Phase.RESOLVING
        self._state = InstallState.DOWNLOADING
        self._file = ""
        self._files: tuple[str, ...] = ()
        self._done = self._counted = before.done_bytes if before else 0
        self._total = before.total_bytes if before else None
        self._speed = Speed(now())
        self._resting = 0
        self._standing = standing
        self._told: Transfer | None = None
        self.steps = 0
        """Rises with every byte that moves or is hashed, and while a retry is awaited: who looks
        at it twice knows whether the work goes on."""

    def _next_seq(self) -> int:
        """It rises within a job, over ticks and states together."""
        self._seq += 1
        return self._seq

    def expect(self, total: int, kept: int) -> None:
        """total: of all files; kept: what is here from an earlier try."""
        self._total, self._done, self._counted = total, kept, kept

    def work_on(self, file: str, phase: Phase, *, files: tuple[str, ...] = ()) -> None:
        """file: the first that is not done; files: all that something is done for now."""
        self._file, self._phase = file, phase
        self._files = files or ((file,) if file else ())

    def add(self, size_bytes: int) -> None:
        self._done += size_bytes
        self.steps += 1

    def lose(self, size_bytes: int) -> None:
        """These must be fetched again: a new attempt, so that nothing seems to run backwards."""
        self._done -= size_bytes
        self._counted = min(self._counted, self._done)
        self._attempt += 1

    def step(self, _: int = 0) -> None:
        """Something moved that is no byte from the hub."""
        self.steps += 1

    @contextmanager
    def resting(self) -> Iterator[None]:
        """While a retry is awaited."""
        self._resting += 1
        try:
            yield
        finally:
            self._resting -= 1

    @property
    def is_resting(self) -> bool:
        return self._resting > 0

    def transfer(self) -> Transfer:
        came, self._counted = max(0, self._done - self._counted), self._done
        speed = self._speed.after(came, self._now())
        left = None if self._total is None else self._total - self._done
        moving = speed > 0 and left is not None and self._phase is Phase.DOWNLOADING
        return Transfer(
            phase=self._phase,
            done_bytes=self._done,
            total_bytes=self._total,
            speed_bytes_s=speed if self._phase is Phase.DOWNLOADING else 0.0,
            eta_s=round(left / speed, 1) if moving and left is not None else None,
            file=self._file,
            files=self._files,
            attempt=self._attempt,
        )

    async def run(self) -> None:
        """Tell, until cancelled."""
        stated_at = self._now()
        while True:
            await asyncio.sleep(TICK_S)
            transfer = self.transfer()
            # What is said while the bus is gone would be heard late, after what came later.
            if transfer == self._told or not self._nc.is_connected:
                continue
            self._told = transfer
            command = self._command
            tick = Progress(
                model=command.model,
                variant=command.variant,
                job=command.job,
                seq=self._next_seq(),
                transfer=transfer,
            )
            with suppress(nats.errors.Error, OSError):
                await self._nc.publish(PROGRESS.of(command.ref), tick.encode())
            if self._now() - stated_at >= STATE_S:
                stated_at = self._now()
                with suppress(BusUnavailable):
                    await self._states.put(self._status(self._state, transfer=transfer))

    async def enter(self, state: InstallState) -> None:
        """A transition; told later by run() when the bus is gone now. Raises: LeaseLost."""
        self._state = state
        if not self._nc.is_connected:
            return
        try:
            await self._states.put(self._status(state, transfer=self.transfer()))
        except BusUnavailable:
            log.debug("%s is %s, told later", self._command.ref.id, state)
        if self._states.is_lost:
            raise LeaseLost(f"the pull of {self._command.ref.id!r} is not ours any more")

    def last(
        self,
        state: InstallState,
        *,
        error: Failure | None = None,
        size_bytes: int = 0,
        revision: str = "",
        reason: str = "",
    ) -> ModelStatus:
        """The state that the pull ends in, or waits in: nothing moves then."""
        is_whole = state is InstallState.INSTALLED and error is None
        transfer = msgspec.structs.replace(self.transfer(), speed_bytes_s=0.0, eta_s=None)
        status = self._status(
            state,
            transfer=None if is_whole else transfer,
            error=error,
            size_bytes=size_bytes,
            revision=revision,
        )
        return msgspec.structs.replace(status, reason=reason, begun=0)

    def _status(
        self,
        state: InstallState,
        *,
        transfer: Transfer | None,
        error: Failure | None = None,
        size_bytes: int = 0,
        revision: str = "",
    ) -> ModelStatus:
        command, standing = self._command, self._standing
        if standing and state.is_active and not size_bytes:
            size_bytes, revision = standing.usable_bytes, standing.revision
        return ModelStatus(
            model=command.model,
            variant=command.variant,
            state=state,
            job=command.job,
            seq=self._next_seq(),
            transfer=transfer,
            begun=self._begun,
            error=error,
            size_bytes=size_bytes,
            revision=revision,
        )
