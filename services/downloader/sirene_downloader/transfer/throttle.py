"""Bytes a second and connections per host, over all pulls; both may change at any time."""

import threading
import time
from collections.abc import Callable

# How much may come at once after a rest: enough to be smooth, too little to be noticed.
BURST_S = 0.1
# One read at most takes so much of a second, so that all connections get their turn.
SHARE_S = 0.05
LEAST_BYTES = 1 << 10
WAIT_S = 0.1


class Throttle:
    def __init__(
        self,
        *,
        max_rate: int = 0,
        connections: int = 16,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """max_rate: bytes a second, 0 for no limit; connections: per host."""
        self.max_rate = max_rate
        self.connections = connections
        self._now = now
        self._filled_at = now()
        self._level = 0.0
        self._changed = threading.Condition()

    def set(self, *, max_rate: int | None = None, connections: int | None = None) -> None:
        """None: as it is."""
        with self._changed:
            if max_rate is not None:
                self.max_rate, self._level = max_rate, min(self._level, 0.0)
            if connections is not None:
                self.connections = connections
            self._changed.notify_all()

    def take(self, size_bytes: int, is_stopped: Callable[[], bool]) -> int:
        """Wait until some of `size_bytes` may be read; how many. 0 only when stopped."""
        if not self.max_rate:
            return size_bytes
        with self._changed:
            while not is_stopped():
                allowed, wait_s = self._allow(size_bytes)
                if allowed:
                    return allowed
                self._changed.wait(min(wait_s, WAIT_S))
        return 0

    def give_back(self, size_bytes: int) -> None:
        """These were allowed and did not come."""
        if size_bytes and self.max_rate:
            with self._changed:
                self._level += size_bytes

    def _allow(self, size_bytes: int) -> tuple[int, float]:
        """(bytes allowed now, or 0 and the seconds until it is worth to ask again)"""
        rate, now = self.max_rate, self._now()
        if not rate:
            return size_bytes, 0.0
        self._level = min(self._level + (now - self._filled_at) * rate, rate * BURST_S)
        self._filled_at = now
        wanted = min(size_bytes, max(LEAST_BYTES, int(rate * SHARE_S)))
        enough = min(wanted, max(1, int(rate * BURST_S)))
        if self._level < enough:
            return 0, (enough - self._level) / rate
        self._level -= enough
        return enough, 0.0
