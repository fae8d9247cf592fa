"""The models in memory, by use: `async with models.use(ref) as voice`.

residents.py decides, housekeeper.py does. Nothing is locked while a model loads or leaves: who asks
for a loaded model has it at once, whatever else happens.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Generic

from sirene_inference.cooling import FIRST_S, Cooling
from sirene_inference.holding import Acquired, Holding, Voice
from sirene_inference.housekeeper import Housekeeper, ending
from sirene_inference.resident import FOREVER, Resident
from sirene_inference.residents import Residents
from sirene_inference.room import Bounds, Size
from sirene_inference.sizes import Sizes
from sirene_shared.errors import ModelInUse, ModelsBusy
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef

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
        self.bounds = Bounds(capacity, memory or {})
        sizes = sizes or Sizes()
        self._residents = Residents(
            self.bounds,
            size_of=sizes.of,
            keep_alive_s=keep_alive_s,
            cooling=Cooling(cooling_s),
        )
        self._house = Housekeeper(
            load, self._residents, sizes, busy_wait_s=busy_wait_s, changed=changed, now=now
        )
        self._reserve_s = reserve_s
        self._now = now

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
        self._house.tell(ref)
        self._house.advance()
        return True

    def measured(self, resident: Resident, size: Size) -> None:
        """What it takes now; a model that grew may have to make room."""
        if size != resident.size and resident.state is LoadedState.LOADED:
            self._residents.measured(resident, size)
            if size.bytes > self._house.sizes.of(resident.ref).bytes:
                self._house.sizes.learn(resident.ref, size)
            self._house.advance()

    async def unload(self, ref: ModelRef, *, within_s: float, force: bool = False) -> int | None:
        """Unload the model once nobody uses it; bytes given back, None when it was not there.

        That ends its pin. force: cut off who uses it. Raises: ModelInUse when it takes longer; it
        then leaves later.
        """
        self._residents.unpin(ref)
        try:
            async with asyncio.timeout(within_s):
                while (resident := self._residents.get(ref)) and resident in self._house.loading:
                    await self._house.news.wait()
                if resident is None:
                    return None
                return await asyncio.shield(self._house.leave(resident, force=force))
        except TimeoutError:
            raise ModelInUse(
                f"{ref.id!r} is still in use",
                hint="It is unloaded as soon as its requests have ended.",
            ) from None

    async def close(self, *, within_s: float) -> None:
        """Take nobody in any more, let those inside finish for a while, and end everything."""
        await self._house.close(within_s=within_s)

    def _holding(self, resident: Resident) -> Holding[Voice]:
        now = self._now()
        end = self._residents.expires_at(resident)
        return Holding(
            resident,
            self._house.voices.get(resident),
            resident.idle_s(now),
            is_pinned=self._residents.is_pinned(resident.ref),
            expires_in_s=None if end is None else max(0.0, end - now),
            is_next=resident is self._residents.next_victim(),
        )

    async def _acquire(self, ref: ModelRef, keep_alive_s: float | None) -> Acquired[Voice]:
        if self._house.is_closing:
            raise ending()
        found = self._residents.get(ref)
        if found in self._house.voices and self._house.voices[found].ended.is_set():
            self._house.gone(found)  # it crashed a moment ago
        if taken := self._residents.take(ref, self._now(), keep_alive_s):
            self._house.tell(ref)
            return Acquired(taken, self._house.voices[taken])
        waiter = self._house.line.join(ref)
        self._residents.want(ref)
        try:
            async with waiter.patience:
                self._house.advance()
                self._house.mind_patience(ref)
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
            if not self._house.line.leave(ref, waiter):
                self._residents.forget(ref)

    def _release(self, resident: Resident) -> None:
        self._residents.release(resident, self._now())
        self._house.tell(resident.ref)
        self._house.advance()
