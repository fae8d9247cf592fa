"""Carries out what residents.py decides: loads, unloads, and tells those who wait.

Nothing is locked while a model loads or leaves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic

from sirene_inference.holding import Acquired, Voice
from sirene_inference.news import News
from sirene_inference.refusals import too_large
from sirene_inference.resident import Load, Refuse, Resident
from sirene_inference.residents import Residents
from sirene_inference.room import Size
from sirene_inference.sizes import Sizes
from sirene_inference.waiting import WaitingLine
from sirene_shared.errors import LoadFailed, NoReplica, OutOfMemory, SireneError
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef

log = logging.getLogger(__name__)


class Housekeeper(Generic[Voice]):
    def __init__(
        self,
        load: Callable[[ModelRef], Awaitable[Voice]],
        residents: Residents,
        sizes: Sizes,
        *,
        busy_wait_s: float,
        changed: Callable[[ModelRef], None],
        now: Callable[[], float],
    ) -> None:
        """changed: called whenever a model's state or users changed."""
        self.residents = residents
        self.sizes = sizes
        self.now = now
        self.voices: dict[Resident, Voice] = {}
        self.line = WaitingLine[Acquired[Voice]]()
        self.leaving: dict[Resident, asyncio.Task[int]] = {}
        self.loading: dict[Resident, asyncio.Task[None]] = {}
        self.news = News()
        self.is_closing = False
        self._load_voice = load
        self._busy_wait_s = busy_wait_s
        self._changed = changed
        self._watching: dict[Resident, asyncio.Task[None]] = {}
        self._forced: set[Resident] = set()
        self._alarm: asyncio.TimerHandle | None = None

    def advance(self) -> None:
        """Begin whatever is to be done now, and come back when a model's time is over."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if self.is_closing:
            return
        while step := self.residents.next_step(self.now()):
            if isinstance(step, Load):
                self.loading[step.resident] = asyncio.create_task(self._load(step.resident))
                self.mind_patience(step.resident.ref)
                self.tell(step.resident.ref)
            elif isinstance(step, Refuse):
                self.line.disappoint(step.ref, step.error)
            else:
                log.info(
                    "unloading %s: idle, and its time or its room is needed", step.resident.ref.id
                )
                self.leave(step.resident)
        now = self.now()
        if (end := self.residents.next_alarm(now)) is not None:
            self._alarm = asyncio.get_running_loop().call_later(end - now, self.advance)

    def mind_patience(self, ref: ModelRef) -> None:
        """Waiting for room has a deadline; waiting for one's own load ends with the load."""
        resident = self.residents.get(ref)
        if resident is not None and resident.state is LoadedState.LOADING:
            self.line.wait_on(ref)
        else:
            self.line.wait_until(ref, asyncio.get_running_loop().time() + self._busy_wait_s)

    def leave(self, resident: Resident, *, force: bool = False) -> "asyncio.Task[int]":
        """Unload it once nobody uses it; force: at once. The task gives the bytes that are back."""
        if resident not in self.leaving:
            self.residents.leave(resident)
            self.leaving[resident] = asyncio.create_task(self._end(resident))
            self.tell(resident.ref)
        if force:
            self._forced.add(resident)
            self.news.tell()
        return self.leaving[resident]

    def gone(self, resident: Resident) -> None:
        self.voices.pop(resident, None)
        self.leaving.pop(resident, None)
        self.residents.gone(resident)
        self.tell(resident.ref)
        self.advance()

    def tell(self, ref: ModelRef) -> None:
        self.news.tell()
        self._changed(ref)

    async def close(self, *, within_s: float) -> None:
        """Take nobody in any more, let those inside finish for a while, and end everything."""
        self.is_closing = True
        self.advance()
        self.line.disappoint_all(ending())
        for loading in list(self.loading.values()):
            loading.cancel()
        try:
            async with asyncio.timeout(within_s):
                while self.loading or any(each.users for each in self.residents.all()):
                    await self.news.wait()
        except TimeoutError:
            log.warning("speech still runs after %.0f s and is cut off", within_s)
        closing = [asyncio.create_task(voice.close()) for voice in list(self.voices.values())]
        await asyncio.gather(*closing, *self.loading.values(), return_exceptions=True)
        tasks = [*self.leaving.values(), *self._watching.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self, resident: Resident) -> None:
        ref = resident.ref
        try:
            voice = await self._load_within_bounds(resident)
        except OutOfMemory as error:
            if self.residents.exhausted(resident, self.now()):
                log.warning("%s: %s; tried again once idle models have left", ref.id, error)
                del self.loading[resident]
                self.mind_patience(ref)
                self.tell(ref)
                self.advance()
            else:
                self._load_failed(resident, error)
        except SireneError as error:
            log.warning("%s did not load: %s", ref.id, error)
            self._load_failed(resident, error)
        except asyncio.CancelledError:
            self._load_failed(resident, ending())
            raise
        except Exception:  # the edge: its waiters must hear of it, whatever it is
            log.exception("%s did not load", ref.id)
            self._load_failed(resident, LoadFailed(f"{ref.id!r} could not be loaded"))
        else:
            del self.loading[resident]
            self.voices[resident] = voice
            size = Size(voice.device, voice.memory_bytes) if voice.memory_bytes else None
            self.residents.loaded(resident, self.now(), size)
            self._watching[resident] = asyncio.create_task(self._watch(resident, voice))
            for arrival in self.line.arrivals(ref):
                self.residents.take(ref, self.now())
                arrival.set_result(Acquired(resident, voice))
            self.tell(ref)
            self.advance()

    async def _load_within_bounds(self, resident: Resident) -> Voice:
        """Raises: ModelTooLarge when it turns out to be, what the loader raises."""
        voice = await self._load_voice(resident.ref)
        if voice.memory_bytes:
            size = Size(voice.device, voice.memory_bytes)
            self.sizes.learn(resident.ref, size)
            limit = self.residents.bounds.memory.get(size.device, size.bytes)
            if size.bytes > limit:
                await voice.close()
                raise too_large(resident.ref, size, limit)
        return voice

    def _load_failed(self, resident: Resident, error: SireneError) -> None:
        del self.loading[resident]
        self.line.disappoint(resident.ref, error)
        self.residents.failed(resident, self.now(), error)
        self.gone(resident)

    async def _watch(self, resident: Resident, voice: Voice) -> None:
        await voice.ended.wait()
        del self._watching[resident]
        self.gone(resident)

    async def _end(self, resident: Resident) -> int:
        while resident.users and resident not in self._forced:
            await self.news.wait()
        try:
            voice = self.voices.get(resident)
            return await voice.close() if voice else 0
        finally:
            self._forced.discard(resident)
            self.gone(resident)


def ending() -> NoReplica:
    return NoReplica("this replica is ending", hint="Try again.")
