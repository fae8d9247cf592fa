"""One model that takes room, and the steps that can be decided about it."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from sirene_inference.room import Size
from sirene_shared.errors import SireneError
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef

FOREVER = math.inf


@dataclass(slots=True, eq=False)
class Resident:
    """A model that takes room."""

    ref: ModelRef
    size: Size
    """Expected while it loads, measured from then on."""
    state: LoadedState = LoadedState.LOADING
    users: int = 0
    last_used: float = 0.0
    reserved_until: float = 0.0
    """Not evicted before: whoever asked for the load may not have come yet."""
    keep_alive_s: float = FOREVER
    """It leaves after so long without a user; as the last request said."""

    @property
    def is_idle(self) -> bool:
        return self.state is LoadedState.LOADED and not self.users

    def idle_s(self, now: float) -> float:
        return 0.0 if self.users or self.state is LoadedState.LOADING else now - self.last_used


class Load(NamedTuple):
    """Load this one, then call loaded(), failed() or exhausted()."""

    resident: Resident


class Evict(NamedTuple):
    """End this one, which nobody uses, then call gone()."""

    resident: Resident


class Refuse(NamedTuple):
    """Tell everyone who waits for this model that waiting is of no use."""

    ref: ModelRef
    error: SireneError
