"""Everything that the downloaders say of their jobs, as whoever watches hears it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client

from sirene_shared import bus
from sirene_shared.ending import end
from sirene_shared.messages import ModelStatus, Progress
from sirene_shared.subjects import MODELS, PROGRESS
from tests.faults.invariants import Violated, check_progress


class Heard:
    """By job. Ticks and states take two ways, and so come in order only among themselves."""

    def __init__(self) -> None:
        self.ticks: defaultdict[str, list[Progress]] = defaultdict(list)
        self.states: defaultdict[str, list[ModelStatus]] = defaultdict(list)

    def check(self, *jobs: str) -> None:
        """I7, and one end of each, the last that was said of it."""
        for job in jobs:
            ticks, states = self.ticks[job], self.states[job]
            check_progress(ticks)
            check_progress(states)
            ends = [status for status in states if not status.state.is_active]
            if len(ends) != 1:
                raise Violated(f"I4: {job} has the ends {ends}")
            if ticks and ticks[-1].seq >= ends[0].seq:
                raise Violated(f"I7: {ticks[-1]} is later than {ends[0]}")


@asynccontextmanager
async def hearing(nc: Client) -> AsyncIterator[Heard]:
    heard = Heard()
    watcher = await (await bus.open_bucket(nc.jetstream(), MODELS)).watchall()

    async def tick(message: object) -> None:
        progress = Progress.decode(message.data)  # type: ignore[attr-defined]
        heard.ticks[progress.job].append(progress)

    async def follow() -> None:
        async for entry in watcher:
            if entry is not None and entry.value and not entry.operation:
                status = ModelStatus.decode(entry.value)
                heard.states[status.job].append(status)

    subscription = await nc.subscribe(PROGRESS.all, cb=tick)
    await bus.settle(nc)
    following = asyncio.create_task(follow())
    try:
        yield heard
    finally:
        await end([following])
        await watcher.stop()  # type: ignore[no-untyped-call]
        await subscription.unsubscribe()
