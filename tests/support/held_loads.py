"""Loads that the test starts, holds, fails and ends, for the cache at work."""

import asyncio
from collections.abc import Callable, Coroutine

from sirene_inference.cache import Models
from sirene_shared.names import ModelRef


class Voice:
    def __init__(self, ref: ModelRef) -> None:
        self.ref = ref
        self.device = "cpu"
        self.memory_bytes = 1000
        self.ended = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def close(self) -> int:
        await self.may_end.wait()
        self.ended.set()
        return 1000


class Loads:
    """A loader: `hold` a model to keep its load from ending."""

    def __init__(self) -> None:
        self.begun: list[ModelRef] = []
        self.voices: list[Voice] = []
        self.held: dict[ModelRef, asyncio.Event] = {}
        self.errors: dict[ModelRef, Exception] = {}
        self.sizes: dict[ModelRef, int] = {}

    def hold(self, ref: ModelRef) -> asyncio.Event:
        self.held[ref] = asyncio.Event()
        return self.held[ref]

    async def __call__(self, ref: ModelRef) -> Voice:
        self.begun.append(ref)
        if ref in self.held:
            await self.held[ref].wait()
        if ref in self.errors:
            raise self.errors[ref]
        self.voices.append(Voice(ref))
        self.voices[-1].memory_bytes = self.sizes.get(ref, 1000)
        return self.voices[-1]


async def used(models: Models[Voice], ref: ModelRef, *, keep_alive_s: float | None = None) -> Voice:
    async with models.use(ref, keep_alive_s) as voice:
        return voice


async def begun(
    work: Coroutine[object, object, Voice], when: Callable[[], object]
) -> asyncio.Task[Voice]:
    """A task for `work`, running until `when()` holds."""
    task = asyncio.create_task(work)
    for _ in range(100):
        if when():
            return task
        await asyncio.sleep(0)
    raise AssertionError("it never came so far")
