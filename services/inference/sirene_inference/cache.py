"""The models in memory, by use: `async with models.use(ref) as voice`.

residents.py decides, this does. Nothing is locked while a model loads or leaves: a request for a
loaded model goes through at once, whatever else happens.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Generic

from sirene_inference.holding import Acquired, Holding, Voice
from sirene_inference.news import News
from sirene_inference.residents import Load, Resident, Residents
from sirene_inference.waiting import WaitingLine
from sirene_shared.errors import LoadFailed, ModelInUse, ModelsBusy, NoReplica, SireneError
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
        reserve_s: float = RESERVE_S,
        changed: Callable[[ModelRef], None] = lambda ref: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """changed: called whenever a model's state or users changed."""
        self._load_voice = load
        self._residents = Residents(capacity)
        self._busy_wait_s = busy_wait_s
        self._reserve_s = reserve_s
        self._changed = changed
        self._now = now
        self._voices: dict[Resident, Voice] = {}
        self._line = WaitingLine[Acquired[Voice]]()
        self._leaving: dict[Resident, asyncio.Task[int]] = {}
        self._loading: dict[Resident, asyncio.Task[None]] = {}
        self._watching: dict[Resident, asyncio.Task[None]] = {}
        self._news = News()
        self._alarm: asyncio.TimerHandle | None = None
        self._is_closing = False

    def holdings(self) -> Iterator[Holding[Voice]]:
        for resident in self._residents.all():
            yield Holding(resident, self._voices.get(resident), resident.idle_s(self._now()))

    def users(self, ref: ModelRef) -> int | None:
        """How many use the model now; None when it takes no users."""
        resident = self._residents.get(ref)
        return resident.users if resident and resident.state is LoadedState.LOADED else None

    @asynccontextmanager
    async def use(self, ref: ModelRef) -> AsyncIterator[Voice]:
        """The model, loaded if it was not, and kept in memory until the block ends.

        Raises: ModelsBusy (no room until the deadline), NoReplica (closing), what the load raised.
        """
        resident, voice = await self._acquire(ref)
        try:
            yield voice
        finally:
            self._release(resident)

    async def bring(self, ref: ModelRef) -> Holding[Voice]:
        """Load the model ahead of its use, and keep it for a moment until somebody uses it.

        Raises: as use().
        """
        resident, voice = await self._acquire(ref)
        self._residents.reserve(resident, self._now() + self._reserve_s)
        self._release(resident)
        return Holding(resident, voice, 0.0)

    async def unload(self, ref: ModelRef, *, within_s: float) -> int | None:
        """Unload the model once nobody uses it; bytes given back, None when it was not there.

        Raises: ModelInUse when that takes longer; it then leaves later.
        """
        try:
            async with asyncio.timeout(within_s):
                while (resident := self._residents.get(ref)) and resident in self._loading:
                    await self._news.wait()
                if resident is None:
                    return None
                return await asyncio.shield(self._leave(resident))
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

    async def _acquire(self, ref: ModelRef) -> Acquired[Voice]:
        if self._is_closing:
            raise _ending()
        found = self._residents.get(ref)
        if found in self._voices and self._voices[found].ended.is_set():
            self._gone(found)  # it crashed a moment ago
        if taken := self._residents.take(ref, self._now()):
            self._tell(ref)
            return Acquired(taken, self._voices[taken])
        waiter = self._line.join(ref)
        self._residents.want(ref)
        try:
            async with waiter.patience:
                self._advance()
                self._mind_patience(ref)
                return await waiter.arrival
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
        """Begin whatever is to be done now, and come back when a reservation ends."""
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
            else:
                log.info("unloading %s to make room", step.resident.ref.id)
                self._leave(step.resident)
        now = self._now()
        if (end := self._residents.next_reservation_end(now)) is not None:
            self._alarm = asyncio.get_running_loop().call_later(end - now, self._advance)

    async def _load(self, resident: Resident) -> None:
        ref = resident.ref
        try:
            voice = await self._load_voice(ref)
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
            self._residents.loaded(resident, self._now())
            self._watching[resident] = asyncio.create_task(self._watch(resident, voice))
            for arrival in self._line.arrivals(ref):
                self._residents.take(ref, self._now())
                arrival.set_result(Acquired(resident, voice))
            self._tell(ref)
            self._advance()

    def _load_failed(self, resident: Resident, error: SireneError) -> None:
        del self._loading[resident]
        self._line.disappoint(resident.ref, error)
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
        while resident.users:
            await self._news.wait()
        try:
            voice = self._voices.get(resident)
            return await voice.close() if voice else 0
        finally:
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
