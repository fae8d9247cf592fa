"""How long to wait before a service that ended is started again."""

FIRST_S = 1.0
LONGEST_S = 15.0
# Whoever lived this long is well: its end was an accident, and is mended at once.
WELL_AFTER_S = 30.0
WELL_S = 0.5


class Backoff:
    def __init__(self) -> None:
        self._next_s = FIRST_S

    def after(self, lived_s: float) -> float:
        """Seconds to wait after an end that came `lived_s` after the start."""
        if lived_s >= WELL_AFTER_S:
            self._next_s = FIRST_S
            return WELL_S
        wait_s, self._next_s = self._next_s, min(2 * self._next_s, LONGEST_S)
        return wait_s
