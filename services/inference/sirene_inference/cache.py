"""The models in memory, by use: `async with models.use(ref) as voice`.

residents.py decides, this does. Nothing is locked while a model loads or leaves: a request for a
loaded model goes through at once, whatever else happens.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Generic

from sirene_inference.cooling import FIRST_S, Cooling
from sirene_inference.holding import Acquired, Holding, Voice
from sirene_inference.news import News
from sirene_inference.refusals import too_large
from sirene_inference.resident import FOREVER, Load, Refuse, Resident
from sirene_inference.residents import Residents
from sirene_inference.room import Bounds, Size
from sirene_inference.sizes import Sizes
from sirene_inference.waiting import WaitingLine
from sirene_shared.errors import (
    LoadFailed,
    ModelInUse,
    ModelsBusy,
    NoReplica,
    OutOfMemory,
    SireneError,
)
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef

log = logging.getLogger(__name__)

# How long a model that was loaded for somebody stays for him, when others wait for room.
RESERVE_S = 2.0
BUSY_RETRY_S = 5


class Models(Generic[Voice]):
    def __init__(
        self,
        load: Callable[[ModelRef], Awaitable[Voice]],
        *,
        capacity: int,
        busy_wait_s: float,
        memory: Mapping[str, int] | None = None,
        sizes: Sizes | None = None,
        keep_alive_s: float = FOREVER,
        reserve_s: float = RESERVE_S,
        cooling_s: float = FIRST_S,
        changed: Callable[[ModelRef], None] = lambda ref: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """memory: bytes by device, see Bounds. keep_alive_s: of models whose requests say nothing.
        changed: called whenever a model's state or users changed."""
        self._load_voice = load
        self._sizes = sizes or Sizes()
        self.bounds = Bounds(capacity, memory or {})
        self._residents = Residents(
            self.bounds,
            size_of=self._sizes.of,
            keep_alive_s=keep_alive_s,
            cooling=Cooling(cooling_s),
        )
        self._busy_wait_s = busy_wait_s
        self._reserve_s = reserve_s
        self._changed = changed
        self._now = now
        self._voices: dict[Resident, Voice] = {}
        self._line = WaitingLine[Acquired[Voice]]()
        self._leaving: dict[Resident, asyncio.Task[int]] = {}
        self._loading: dict[Resident, asyncio.Task[None]] = {}
        self._watching: dict[Resident, asyncio.Task[None]] = {}
        self._forced: set[Resident] = set()
        self._news = News()
        self._alarm: asyncio.TimerHandle | None = None
        self._is_closing = False

    def holdings(self) -> Iterator[Holding[Voice]]:
        for resident in self._residents.all():
            yield self._holding(resident)

    def users(self, ref: ModelRef) -> int | None:
        """How many use the model now; None when it takes no users."""
        resident = self._residents.get(ref)
        return resident.users if resident and resident.state is LoadedState.LOADED else None

    @asynccontextmanager
    async def use(self, ref: ModelRef, keep_alive_s: float | None = None) -> AsyncIterator[Voice]:
        """The model, loaded if it was not, and kept in memory until the block ends.

        keep_alive_s: how long it stays idle then; None: as the request before said.
        Raises: ModelsBusy (no room until the deadline), ModelTooLarge, NoReplica (closing), what
        the load raised, now or a moment ago.
        """
        resident, voice = await self._acquire(ref, keep_alive_s)
        try:
            yield voice
        finally:
            self._release(resident)

    async def bring(
        self, ref: ModelRef, keep_alive_s: float | None = None, *, pin: bool = False
    ) -> Holding[Voice]:
        """Load the model ahead of its use, and keep it for a moment until somebody uses it.

        Raises: as use().
        """
        resident, _ = await self._acquire(ref, keep_alive_s)
        self._residents.reserve(resident, self._now() + self._reserve_s)
        if pin:
            self._residents.pin(ref)
        self._release(resident)
        return self._holding(resident)

    def pin(self, ref: ModelRef, *, pinned: bool) -> bool:
        """Let the model leave neither for others nor for being idle, or again; whether it is held
        here, and so was meant."""
        resident = self._residents.get(ref)
        if resident is None or resident.state is LoadedState.UNLOADING:
            self._residents.unpin(ref)
            return False
        if pinned:
            self._residents.pin(ref)
        else:
            self._residents.unpin(ref)
        self._tell(ref)
        self._advance()
        return True

    def measured(self, resident: Resident, size: Size) -> None:
        """What it takes now; a model that grew may have to make room."""
        if size != resident.size and resident.state is LoadedState.LOADED:
            self._residents.measured(resident, size)
            if size.bytes > self._sizes.of(resident.ref).bytes:
                self._sizes.learn(resident.ref, size)
            self._advance()

    async def unload(self, ref: ModelRef, *, within_s: float, force: bool = False) -> int | None:
        """Unload the model once nobody uses it; bytes given back, None when it was not there.

        That ends its pin. force: cut off who uses it. Raises: ModelInUse when it takes longer; it
        then leaves later.
        """
        self._residents.unpin(ref)
        try:
            async with asyncio.timeout(within_s):
                while (resident := self._residents.get(ref)) and resident in self._loading:
                    await self._news.wait()
                if resident is None:
                    return None
                leaving = self._leave(resident)
                if force:
                    self._forced.add(resident)
                    self._news.tell()
                return await asyncio.shield(leaving)
        except TimeoutError:
            raise ModelInUse(
                f"{ref.id!r} is still in use",
                hint="It is unloaded as soon as its requests have ended.",
            ) from None

    async def close(self, *, within_s: float) -> None:
        """Take nobody in any more, let those inside finish for a while, and end everything."""
        self._is_closing = True
        self._advance()
        self._line.disappoint_all(_ending())
        for loading in list(self._loading.values()):
            loading.cancel()
        try:
            async with asyncio.timeout(within_s):
                while self._loading or any(each.users for each in self._residents.all()):
                    await self._news.wait()
        except TimeoutError:
            log.warning("speech still runs after %.0f s and is cut off", within_s)
        closing = [asyncio.create_task(voice.close()) for voice in list(self._voices.values())]
        await asyncio.gather(*closing, *self._loading.values(), return_exceptions=True)
        tasks = [*self._leaving.values(), *self._watching.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _holding(self, resident: Resident) -> Holding[Voice]:
        now = self._now()
        end = self._residents.expires_at(resident)
        return Holding(
            resident,
            self._voices.get(resident),
            resident.idle_s(now),
            is_pinned=self._residents.is_pinned(resident.ref),
            expires_in_s=None if end is None else max(0.0, end - now),
            is_next=resident is self._residents.next_victim(),
        )

    async def _acquire(self, ref: ModelRef, keep_alive_s: float | None) -> Acquired[Voice]:
        if self._is_closing:
            raise _ending()
        found = self._residents.get(ref)
        if found in self._voices and self._voices[found].ended.is_set():
            self._gone(found)  # it crashed a moment ago
        if taken := self._residents.take(ref, self._now(), keep_alive_s):
            self._tell(ref)
            return Acquired(taken, self._voices[taken])
        waiter = self._line.join(ref)
        self._residents.want(ref)
        try:
            async with waiter.patience:
                self._advance()
                self._mind_patience(ref)
                acquired = await waiter.arrival
                self._residents.keep(acquired.resident, keep_alive_s)
                return acquired
        except (TimeoutError, asyncio.CancelledError) as error:
            if unused := waiter.unused():
                self._release(unused.resident)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise ModelsBusy(
                "all the models that fit in memory are in use",
                hint="Try again, or raise INFERENCE_MAX_LOADED_MODELS.",
                retry_after_s=BUSY_RETRY_S,
            ) from None
        finally:
            if not self._line.leave(ref, waiter):
                self._residents.forget(ref)

    def _mind_patience(self, ref: ModelRef) -> None:
        """Waiting for room has a deadline; waiting for one's own load ends with the load."""
        resident = self._residents.get(ref)
        if resident is not None and resident.state is LoadedState.LOADING:
            self._line.wait_on(ref)
        else:
            self._line.wait_until(ref, asyncio.get_running_loop().time() + self._busy_wait_s)

    def _release(self, resident: Resident) -> None:
        self._residents.release(resident, self._now())
        self._tell(resident.ref)
        self._advance()

    def _advance(self) -> None:
        """Begin whatever is to be done now, and come back when a model's time is over."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if self._is_closing:
            return
        while step := self._residents.next_step(self._now()):
            if isinstance(step, Load):
                self._loading[step.resident] = asyncio.create_task(self._load(step.resident))
                self._mind_patience(step.resident.ref)
                self._tell(step.resident.ref)
            elif isinstance(step, Refuse):
                self._line.disappoint(step.ref, step.error)
            else:
                log.info(
                    "unloading %s: idle, and its time or its room is needed", step.resident.ref.id
                )
                self._leave(step.resident)
        now = self._now()
        if (end := self._residents.next_alarm(now)) is not None:
            self._alarm = asyncio.get_running_loop().call_later(end - now, self._advance)

    async def _load(self, resident: Resident) -> None:
        ref = resident.ref
        try:
            voice = await self._load_within_bounds(resident)
        except OutOfMemory as error:
            if self._residents.exhausted(resident, self._now()):
                log.warning("%s: %s; tried again once idle models have left", ref.id, error)
                del self._loading[resident]
                self._mind_patience(ref)
                self._tell(ref)
                self._advance()
            else:
                self._load_failed(resident, error)
        except SireneError as error:
            log.warning("%s did not load: %s", ref.id, error)
            self._load_failed(resident, error)
        except asyncio.CancelledError:
            self._load_failed(resident, _ending())
            raise
        except Exception:  # the edge: its waiters must hear of it, whatever it is
            log.exception("%s did not load", ref.id)
            self._load_failed(resident, LoadFailed(f"{ref.id!r} could not be loaded"))
        else:
            del self._loading[resident]
            self._voices[resident] = voice
            size = Size(voice.device, voice.memory_bytes) if voice.memory_bytes else None
            self._residents.loaded(resident, self._now(), size)
            self._watching[resident] = asyncio.create_task(self._watch(resident, voice))
            for arrival in self._line.arrivals(ref):
                self._residents.take(ref, self._now())
                arrival.set_result(Acquired(resident, voice))
            self._tell(ref)
            self._advance()

    async def _load_within_bounds(self, resident: Resident) -> Voice:
        """Raises: ModelTooLarge when it turns out to be, what the loader raises."""
        voice = await self._load_voice(resident.ref)
        if voice.memory_bytes:
            size = Size(voice.device, voice.memory_bytes)
            self._sizes.learn(resident.ref, size)
            limit = self.bounds.memory.get(size.device, size.bytes)
            if size.bytes > limit:
                await voice.close()
                raise too_large(resident.ref, size, limit)
        return voice

    def _load_failed(self, resident: Resident, error: SireneError) -> None:
        del self._loading[resident]
        self._line.disappoint(resident.ref, error)
        self._residents.failed(resident, self._now(), error)
        self._gone(resident)

    async def _watch(self, resident: Resident, voice: Voice) -> None:
        await voice.ended.wait()
        del self._watching[resident]
        self._gone(resident)

    def _leave(self, resident: Resident) -> asyncio.Task[int]:
        if resident not in self._leaving:
            self._residents.leave(resident)
            self._leaving[resident] = asyncio.create_task(self._end(resident))
            self._tell(resident.ref)
        return self._leaving[resident]

    async def _end(self, resident: Resident) -> int:
        while resident.users and resident not in self._forced:
            await self._news.wait()
        try:
            voice = self._voices.get(resident)
            return await voice.close() if voice else 0
        finally:
            self._forced.discard(resident)
            self._gone(resident)

    def _gone(self, resident: Resident) -> None:
        self._voices.pop(resident, None)
        self._leaving.pop(resident, None)
        self._residents.gone(resident)
        self._tell(resident.ref)
        self._advance()

    def _tell(self, ref: ModelRef) -> None:
        self._news.tell()
        self._changed(ref)


def _ending() -> NoReplica:
    return NoReplica("this replica is ending", hint="Try again.")
