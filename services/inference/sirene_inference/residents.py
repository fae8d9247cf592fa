"""Which models are in memory, and what is to be done next: decisions alone, without any work.

The caller tells what happened, does what next_step() says and reports back, so that everything here
can be checked against a plain model. What always holds: never more residents than the bound, those
that load or leave included; no load is begun that does not fit in memory; never two of one model;
one in use or pinned is never told to leave for another; one that leaves is not revived; nothing is
evicted for a model that then does not fit.
"""

import math
from collections.abc import Callable, Iterator

from sirene_inference.cooling import Cooling
from sirene_inference.refusals import pinned_full, too_large
from sirene_inference.resident import FOREVER, Evict, Load, Refuse, Resident
from sirene_inference.room import Bounds, Room, Size
from sirene_shared.errors import SireneError
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef


class Residents:
    """Times are seconds of any steady clock, handed in as `now`."""

    def __init__(
        self,
        bounds: Bounds,
        *,
        size_of: Callable[[ModelRef], Size] = lambda ref: Size("cpu", 0),
        keep_alive_s: float = FOREVER,
        cooling: Cooling | None = None,
    ) -> None:
        """size_of: what a model is expected to take. keep_alive_s: unless a request says other."""
        self.bounds = bounds
        self._size_of = size_of
        self._keep_alive_s = keep_alive_s
        self._cooling = cooling or Cooling()
        self._residents: dict[ModelRef, Resident] = {}
        # What waits for room, longest first: room goes to the head of this line.
        self._wanted: dict[ModelRef, None] = {}
        self._pins: set[ModelRef] = set()
        # Memory ran out while they loaded: they get one more try, with nothing idle beside them.
        self._retried: set[ModelRef] = set()

    def all(self) -> list[Resident]:
        return list(self._residents.values())

    def get(self, ref: ModelRef) -> Resident | None:
        return self._residents.get(ref)

    def is_pinned(self, ref: ModelRef) -> bool:
        return ref in self._pins

    def expires_at(self, resident: Resident) -> float | None:
        """When it leaves if nobody uses it until then; None: not by itself, or not while in use."""
        is_kept = resident.ref in self._pins or resident.keep_alive_s == FOREVER
        if is_kept or not resident.is_idle:
            return None
        return max(resident.reserved_until, resident.last_used + resident.keep_alive_s)

    def next_victim(self) -> Resident | None:
        """Who would leave first if room was needed."""
        return next(iter(self._evictable(math.inf)), None)

    # ── What happened ───────────────────────────────────────────────────────────────────────────

    def take(self, ref: ModelRef, now: float, keep_alive_s: float | None = None) -> Resident | None:
        """The model, now in use once more; None when it is not loaded."""
        resident = self._residents.get(ref)
        if resident is None or resident.state is not LoadedState.LOADED:
            return None
        resident.users += 1
        resident.last_used = now
        resident.reserved_until = 0.0
        self.keep(resident, keep_alive_s)
        return resident

    def keep(self, resident: Resident, keep_alive_s: float | None) -> None:
        """A request asked for this; None: for nothing, so that the one before it holds."""
        if keep_alive_s is not None:
            resident.keep_alive_s = keep_alive_s

    def release(self, resident: Resident, now: float) -> None:
        """One use ended; also for a resident that is gone meanwhile."""
        resident.users -= 1
        resident.last_used = now

    def want(self, ref: ModelRef) -> None:
        """Somebody waits for this model."""
        resident = self._residents.get(ref)
        if resident is None or resident.state is LoadedState.UNLOADING:
            self._wanted.setdefault(ref)

    def forget(self, ref: ModelRef) -> None:
        """Nobody waits for it any more; a load that has begun goes on."""
        self._wanted.pop(ref, None)
        if ref not in self._residents:
            self._retried.discard(ref)

    def pin(self, ref: ModelRef) -> None:
        """It leaves neither for others nor for being idle, until unpin()."""
        self._pins.add(ref)

    def unpin(self, ref: ModelRef) -> None:
        self._pins.discard(ref)

    def loaded(self, resident: Resident, now: float, size: Size | None = None) -> None:
        """It is loaded, which counts as a use. size: as measured."""
        resident.state = LoadedState.LOADED
        resident.last_used = now
        resident.size = size or resident.size
        self._retried.discard(resident.ref)
        self._cooling.succeeded(resident.ref)

    def measured(self, resident: Resident, size: Size) -> None:
        resident.size = size

    def failed(self, resident: Resident, now: float, error: SireneError) -> None:
        """Its load failed: it takes no room, and is not tried again for a moment."""
        self._retried.discard(resident.ref)
        self._cooling.failed(resident.ref, now, error)
        self.gone(resident)

    def exhausted(self, resident: Resident, now: float) -> bool:
        """Memory ran out while it loaded. True: it is tried once more, after all idle models on its
        device have left; False: it was, or there is none, and so the load has failed."""
        device = resident.size.device
        if resident.ref in self._retried or not self._beside(device, now):
            return False
        self._retried.add(resident.ref)
        self.gone(resident)
        self._wanted = {resident.ref: None} | self._wanted
        return True

    def reserve(self, resident: Resident, until: float) -> None:
        resident.reserved_until = max(resident.reserved_until, until)

    def leave(self, resident: Resident) -> None:
        """It takes no new users, and goes once it has none."""
        resident.state = LoadedState.UNLOADING

    def gone(self, resident: Resident) -> None:
        """It takes no room any more: unloaded, crashed, or its load failed."""
        if self._residents.get(resident.ref) is resident:
            del self._residents[resident.ref]

    # ── What to do ──────────────────────────────────────────────────────────────────────────────

    def next_step(self, now: float) -> Load | Evict | Refuse | None:
        """What to do now, marked as begun; call it until there is nothing."""
        for ref in self._wanted:
            if error := self.refusal(ref, now):
                self.forget(ref)
                return Refuse(ref, error)
        if (next_up := self._loadable(now)) is not None:
            del self._wanted[next_up]
            resident = self._residents[next_up] = Resident(
                next_up, self._size_of(next_up), last_used=now, keep_alive_s=self._keep_alive_s
            )
            return Load(resident)
        if victim := next(self._victims(now), None):
            self.leave(victim)
            return Evict(victim)
        return None

    def next_alarm(self, now: float) -> float | None:
        """When next_step() may have something to do without anything having happened."""
        ends = [self.expires_at(each) for each in self._residents.values()]
        if self._wanted:
            ends += [each.reserved_until for each in self._residents.values()]
        return min((end for end in ends if end is not None and end > now), default=None)

    def refusal(self, ref: ModelRef, now: float) -> SireneError | None:
        """Why waiting for the model is of no use; None when it is not."""
        if error := self._cooling.refusal(ref, now):
            return error
        size = self._size_of(ref)
        if size.bytes > self.bounds.memory.get(size.device, size.bytes):
            return too_large(ref, size, self.bounds.memory[size.device])
        pinned = [each.size for each in self.all() if each.ref in self._pins and each.ref != ref]
        return None if Room(self.bounds, pinned).fits(size) else pinned_full(ref, size, pinned)

    def _loadable(self, now: float) -> ModelRef | None:
        room = Room(self.bounds, (each.size for each in self._residents.values()))
        for ref in self._wanted:
            if ref in self._residents:
                continue  # it leaves, and comes back after that
            size = self._size_of(ref)
            is_clear = ref not in self._retried or not self._beside(size.device, now)
            return ref if is_clear and room.fits(size) else None
        return None

    def _victims(self, now: float) -> Iterator[Resident]:
        """Who is to leave now, for whatever reason, the least recently used first."""
        evictable = self._evictable(now)
        for each in evictable:
            end = self.expires_at(each)
            if end is not None and end <= now:
                yield each
        room = Room(self.bounds, (each.size for each in self._staying()))
        for each in evictable:
            if room.is_over(each.size.device):
                yield each
        for ref in self._wanted:
            size = self._size_of(ref)
            if ref in self._retried:
                yield from (each for each in evictable if each.size.device == size.device)
            needed = []
            for each in evictable:
                if room.fits(size):
                    break
                if room.helps(each.size, size):
                    needed.append(each)
                    room.give(each.size)
            if not room.fits(size):
                return  # room goes to the head of the line: nobody behind it takes any
            yield from needed
            room.take(size)

    def _beside(self, device: str, now: float) -> list[Resident]:
        """What may still give memory of the device back."""
        leaving = [each for each in self.all() if each.state is LoadedState.UNLOADING]
        return [each for each in [*self._evictable(now), *leaving] if each.size.device == device]

    def _staying(self) -> Iterator[Resident]:
        return (each for each in self.all() if each.state is not LoadedState.UNLOADING)

    def _evictable(self, now: float) -> list[Resident]:
        """The idle ones that may leave, the least recently used first."""
        idle = (each for each in self.all() if each.is_idle and each.ref not in self._pins)
        free = (each for each in idle if each.reserved_until <= now)
        return sorted(free, key=lambda each: each.last_used)
