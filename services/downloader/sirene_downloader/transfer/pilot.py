"""How many connections help: up while it goes faster, down when the hub complains."""

FIRST = 2
# Less than this is noise.
WORTH = 1.10
# So long a number of connections must have been busy before it is judged.
MEASURE_S = 0.2
# After a step that did not help, and after a complaint.
HOLD_S = 5.0


class Pilot:
    def __init__(self, now: float, limit: int) -> None:
        self.count = min(FIRST, limit)
        self._before: tuple[int, float] | None = None
        """(connections, bytes a second) until the last step up."""
        self._since = now
        self._bytes = 0
        self._hold_until = now

    def measure(self, total_bytes: int, now: float, *, limit: int, is_busy: bool) -> int:
        """total_bytes: all that came so far; is_busy: every connection has work. The new count."""
        if self.count > limit:
            self._become(limit, total_bytes, now)
        elapsed_s = now - self._since
        if not is_busy:
            self._restart(total_bytes, now)
        elif elapsed_s >= MEASURE_S and total_bytes > self._bytes:
            self._judge((total_bytes - self._bytes) / elapsed_s, total_bytes, now, limit)
        return self.count

    def complaint(self, total_bytes: int, now: float) -> None:
        """The hub asked to slow down, or cut a connection."""
        self._hold_until = now + HOLD_S
        self._become(self.count // 2, total_bytes, now)

    def _judge(self, speed: float, total_bytes: int, now: float, limit: int) -> None:
        if self._before is not None and speed < WORTH * self._before[1]:
            self._hold_until = now + HOLD_S
            self._become(self._before[0], total_bytes, now)
        elif now >= self._hold_until and self.count < limit:
            before = (self.count, speed)
            self._become(min(limit, self.count * 2), total_bytes, now)
            self._before = before
        else:
            self._before = None
            self._restart(total_bytes, now)

    def _become(self, count: int, total_bytes: int, now: float) -> None:
        self.count, self._before = max(1, count), None
        self._restart(total_bytes, now)

    def _restart(self, total_bytes: int, now: float) -> None:
        self._since, self._bytes = now, total_bytes
