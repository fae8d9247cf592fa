"""Which models are in memory, and what is to be done next: decisions alone, without any work.

The caller does what next_step() says and reports back (loaded, gone), so that everything here can
be checked against a plain model. What always holds: never more residents than the capacity,
loading and leaving ones included; never two of one model; a model in use is never told to leave
for another; one that leaves is not revived.
"""

from dataclasses import dataclass
from typing import NamedTuple

from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef


@dataclass(slots=True, eq=False)
class Resident:
    """A model that takes room."""

    ref: ModelRef
    state: LoadedState = LoadedState.LOADING
    users: int = 0
    last_used: float = 0.0
    reserved_until: float = 0.0
    """Not evicted before: whoever asked for the load may not have come yet."""

    def idle_s(self, now: float) -> float:
        return 0.0 if self.users or self.state is LoadedState.LOADING else now - self.last_used


class Load(NamedTuple):
    """Load this one, then call loaded() or gone()."""

    resident: Resident


class Evict(NamedTuple):
    """End this one, which nobody uses, then call gone()."""

    resident: Resident


class Residents:
    """Times are seconds of any steady clock, handed in as `now`."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._residents: dict[ModelRef, Resident] = {}
        # What waits for room, longest first: room goes to the head of this line.
        self._wanted: dict[ModelRef, None] = {}

    def all(self) -> list[Resident]:
        return list(self._residents.values())

    def get(self, ref: ModelRef) -> Resident | None:
        return self._residents.get(ref)

    def take(self, ref: ModelRef, now: float) -> Resident | None:
        """The model, now in use once more; None when it is not loaded."""
        resident = self._residents.get(ref)
        if resident is None or resident.state is not LoadedState.LOADED:
            return None
        resident.users += 1
        resident.last_used = now
        resident.reserved_until = 0.0
        return resident

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

    def next_step(self, now: float) -> Load | Evict | None:
        """What to do now, marked as begun; call it until there is nothing."""
        for ref in self._wanted:
            if ref in self._residents:
                continue  # it leaves, and comes back after that
            if len(self._residents) >= self.capacity:
                break
            del self._wanted[ref]
            resident = self._residents[ref] = Resident(ref, last_used=now)
            return Load(resident)
        room = self.capacity - len(self._residents) + self._count(LoadedState.UNLOADING)
        victim = self._victim(now)
        if victim is None or room >= min(len(self._wanted), self.capacity):
            return None
        self.leave(victim)
        return Evict(victim)

    def loaded(self, resident: Resident, now: float) -> None:
        """It is loaded, which counts as a use."""
        resident.state = LoadedState.LOADED
        resident.last_used = now

    def reserve(self, resident: Resident, until: float) -> None:
        resident.reserved_until = max(resident.reserved_until, until)

    def leave(self, resident: Resident) -> None:
        """It takes no new users, and goes once it has none."""
        resident.state = LoadedState.UNLOADING

    def gone(self, resident: Resident) -> None:
        """It takes no room any more: unloaded, crashed, or its load failed."""
        if self._residents.get(resident.ref) is resident:
            del self._residents[resident.ref]

    def next_reservation_end(self, now: float) -> float | None:
        """When a victim may appear without anybody doing anything; None when nobody waits."""
        ends = [each.reserved_until for each in self.all() if each.reserved_until > now]
        return min(ends) if ends and self._wanted else None

    def _victim(self, now: float) -> Resident | None:
        """The one that is idle for longest."""
        idle = [
            each
            for each in self.all()
            if each.state is LoadedState.LOADED and not each.users and each.reserved_until <= now
        ]
        return min(idle, key=lambda each: each.last_used, default=None)

    def _count(self, state: LoadedState) -> int:
        return sum(each.state is state for each in self.all())
