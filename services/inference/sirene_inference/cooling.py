"""A load that failed is not tried again at once: asking in a loop must not start engines in one."""

import math
from dataclasses import dataclass

from sirene_shared.errors import (
    ModelDamaged,
    ModelNotFound,
    ModelNotInstalled,
    ModelTooLarge,
    NoReplica,
    RunnerCrashed,
    RunnerUnstable,
    SireneError,
    VariantNotFound,
)
from sirene_shared.names import ModelRef

FIRST_S, LONGEST_S = 2.0, 60.0
# Found out without an engine: asking again costs nothing, and may be right a moment later.
CHEAP = (ModelNotFound, VariantNotFound, ModelNotInstalled, ModelTooLarge, NoReplica)
# Crashes are counted over loads and speeches together, elsewhere.
BOUNDED = (RunnerCrashed, RunnerUnstable)


@dataclass(slots=True)
class Failed:
    error: SireneError
    wait_s: float
    until: float


class Cooling:
    def __init__(self, first_s: float = FIRST_S) -> None:
        """first_s: after the first failure; doubled with each that follows."""
        self._first_s = first_s
        self._failed: dict[ModelRef, Failed] = {}

    def failed(self, ref: ModelRef, now: float, error: SireneError) -> None:
        if isinstance(error, (*CHEAP, *BOUNDED)) or not self._first_s:
            return
        last, wait_s = self._failed.get(ref), self._first_s
        # A pull repairs damage at any moment, so that is looked at again soon.
        if last and now - last.until < LONGEST_S and not isinstance(error, ModelDamaged):
            wait_s = min(2 * last.wait_s, LONGEST_S)
        self._failed[ref] = Failed(error, wait_s, now + wait_s)

    def succeeded(self, ref: ModelRef) -> None:
        self._failed.pop(ref, None)

    def refusal(self, ref: ModelRef, now: float) -> SireneError | None:
        """Why it did not load a moment ago; None when it may be tried."""
        last = self._failed.get(ref)
        if last is None or now >= last.until:
            return None
        error = last.error.failure().error()
        error.retry_after_s = math.ceil(last.until - now)
        return error
