"""Which pull is next: looks at the commands that wait and starts what may run, in their order.

Commands are picked, not delivered, so that their order can be changed and a paused one keeps its
place without anyone holding it (docs/adr/0005). The model's lease settles who of several
downloaders runs it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec

from sirene_downloader.backlog import Backlog, Malformed, Waiting
from sirene_downloader.claim import Claim
from sirene_downloader.decisions import QUEUED_SEQ, Turn, is_at_work, stop_of, turn_of
from sirene_downloader.ending import OUT_OF_HOURS_REASON, PAUSED_REASON
from sirene_downloader.hours import Hours
from sirene_downloader.jobs import Jobs
from sirene_downloader.limits import CurrentLimits
from sirene_downloader.states import States
from sirene_downloader.wishes import Wishes
from sirene_shared.ending import end
from sirene_shared.errors import BusUnavailable
from sirene_shared.messages import InstallState, ModelStatus, Transfer, Wish

log = logging.getLogger(__name__)

# Unasked: what a dead downloader left is found by looking.
LOOK_S = 1.0
# A command passes by before it is stored: for a moment it is looked for again and again.
BRISK_S = 1.0
BRISK_LOOK_S = 0.05
SHOWN = {
    Turn.PAUSE: (InstallState.PAUSED, PAUSED_REASON),
    Turn.WAIT_FOR_HOURS: (InstallState.QUEUED, OUT_OF_HOURS_REASON),
    Turn.WAIT_FOR_ROOM: (InstallState.QUEUED, ""),
}


class Dispatcher:
    def __init__(
        self,
        jobs: Jobs,
        backlog: Backlog,
        states: States,
        wishes: Wishes,
        limits: CurrentLimits,
        hours: Hours,
        *,
        clock: Callable[[], datetime] = datetime.now,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """clock: the local time of day; now: what retries are measured by."""
        self._jobs = jobs
        self._backlog = backlog
        self._states = states
        self._wishes = wishes
        self._limits = limits
        self._hours = hours
        self._clock = clock
        self._now = now
        self._wake = asyncio.Event()
        self._brisk_until = 0.0
        self._not_before: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None
        jobs.on_ended = self._ended

    def look_soon(self) -> None:
        """Something has changed."""
        self._wake.set()

    def heard(self) -> None:
        """A command passed by, and is about to be stored."""
        self._brisk_until = self._now() + BRISK_S
        self._wake.set()

    def open(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Start nothing more."""
        if self._task is not None:
            await end({self._task})

    async def _run(self) -> None:
        await self._wishes.complete.wait()
        while True:
            self._wake.clear()
            try:
                await self._look()
            except BusUnavailable as error:
                log.debug("%s", error.message)
            except Exception:
                # Without its dispatcher the service would look well and not be.
                log.exception("the queue could not be looked at; once more in a moment")
            pause = BRISK_LOOK_S if self._now() < self._brisk_until else LOOK_S
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def _ended(self, claim: Claim) -> None:
        if claim.not_before:
            self._not_before[claim.sequence] = claim.not_before
        self.look_soon()

    async def _look(self) -> None:
        """Raises: BusUnavailable."""
        wishes = self._wishes.all()  # before the commands, which are there before any wish
        waiting: list[Waiting] = []
        async for found in self._backlog.everything():
            if isinstance(found, Malformed):
                await self._backlog.bury(found, found.error.failure())
            else:
                waiting.append(found)
        jobs = {one.command.job for one in waiting}
        for wish in wishes.values():
            if wish.job not in jobs:
                await self._wishes.forget(wish)
        self._not_before = {
            one.sequence: self._not_before[one.sequence]
            for one in waiting
            if self._not_before.get(one.sequence, 0.0) > self._now()
        }
        self._stop_running()
        waiting.sort(key=lambda one: (self._wishes.of(one.command).rank, one.sequence))
        for one in waiting:
            if self._jobs.running(one.command.ref) is None:
                await self._consider(one, self._wishes.of(one.command))

    def _stop_running(self) -> None:
        """What runs and shall not. It has ended, or nearly so, before anyone hears of it."""
        for job in self._jobs.all():
            wish = self._wishes.of(job.command)
            reason = stop_of(wish, is_open=self._may_run(job.command.now or wish.now))
            if reason is not None:
                job.stop(reason)

    def _may_run(self, now: bool) -> bool:
        return now or self._hours.are_open(self._clock())

    async def _consider(self, waiting: Waiting, wish: Wish) -> None:
        """Raises: BusUnavailable."""
        command = waiting.command
        turn = turn_of(
            wish,
            is_open=self._may_run(command.now or wish.now),
            has_room=len(self._jobs.all()) < self._limits.pulls,
            is_resting=waiting.sequence in self._not_before,
        )
        if turn is Turn.CANCEL:
            await self._jobs.cancel(command.ref, command.job, keep=wish.keep)
        elif turn is Turn.RUN:
            self._jobs.start(command, Claim(self._backlog, waiting))
        elif turn in SHOWN:
            await self._show(waiting, *SHOWN[turn])

    async def _show(self, waiting: Waiting, state: InstallState, reason: str) -> None:
        """Say that it waits, unless somebody works on it. Raises: BusUnavailable."""
        command = waiting.command
        status, revision = await self._states.read(command.ref)
        if await self._jobs.has_ended(status, command.job):
            await self._backlog.drop(waiting)
            return
        ours = status if status and status.job == command.job else None
        if ours and (ours.state, ours.reason) == (state, reason):
            return
        if is_at_work(status) and await self._states.is_leased(command.ref):
            return
        await self._states.put(
            ModelStatus(
                model=command.model,
                variant=command.variant,
                state=state,
                reason=reason,
                job=command.job,
                seq=ours.seq + 1 if ours else QUEUED_SEQ,
                transfer=_at_rest(ours.transfer) if ours else None,
                begun=ours.begun if ours else 0,
                size_bytes=status.usable_bytes if status else 0,
                revision=status.revision if status else "",
            ),
            last=revision,
        )


def _at_rest(transfer: Transfer | None) -> Transfer | None:
    return transfer and msgspec.structs.replace(transfer, speed_bytes_s=0.0, eta_s=None)
