"""A model whose runner keeps ending by itself is not loaded over and over.

After a crash it is loaded again at the next request, after a second one a little later; after the
third in a row it is refused for a while, and then tried once more. Speech that came to its end
makes good for all crashes before.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sirene_shared.errors import RunnerUnstable
from sirene_shared.names import ModelRef

MOST_CRASHES = 3
FIRST_PAUSE_S = 0.5
# The first refusal, and the longest: each one that follows without speech lasts twice as long.
OPEN_S, LONGEST_OPEN_S = 30.0, 480.0


@dataclass(slots=True)
class _Crashes:
    count: int = 0
    open_s: float = OPEN_S
    closed_at: float = 0.0
    cause: str = ""


class Breaker:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._crashes: dict[ModelRef, _Crashes] = {}

    def pause_s(self, ref: ModelRef) -> float:
        """How long to wait before the next load. Raises: RunnerUnstable when there is none yet."""
        crashes = self._crashes.get(ref)
        if crashes is None:
            return 0.0
        left_s = crashes.closed_at - self._now()
        if left_s > 0:
            raise RunnerUnstable(
                f"{ref.id!r} crashed {crashes.count} times in a row, at last: {crashes.cause}",
                hint="It is tried again in a while; its files may be damaged, or memory too short.",
                retry_after_s=max(1, round(left_s)),
            )
        if crashes.count >= MOST_CRASHES:
            return 0.0  # the pause was long enough
        return FIRST_PAUSE_S * (crashes.count - 1)

    def crashed(self, ref: ModelRef, cause: str) -> None:
        crashes = self._crashes.setdefault(ref, _Crashes())
        crashes.count += 1
        crashes.cause = cause
        if crashes.count >= MOST_CRASHES:
            crashes.closed_at = self._now() + crashes.open_s
            crashes.open_s = min(2 * crashes.open_s, LONGEST_OPEN_S)

    def spoke(self, ref: ModelRef) -> None:
        self._crashes.pop(ref, None)
