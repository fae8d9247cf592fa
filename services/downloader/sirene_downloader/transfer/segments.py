"""Which bytes of a file are here, which are under way and which nobody fetches yet. No I/O."""

import bisect
from collections.abc import Iterable, Iterator

import msgspec

# Large enough that a request costs little, small enough that the hash is never far behind.
SEGMENT_BYTES = 16 << 20
# Towards the end they shrink, so that all connections end together.
SMALLEST_BYTES = 2 << 20


class Ranges:
    """Sorted, disjoint spans of bytes, each from its start to before its end."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._spans: list[tuple[int, int]] = []
        for start, end in spans:
            self.add(start, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._spans)

    def add(self, start: int, end: int) -> None:
        if start >= end:
            return
        first = bisect.bisect_left(self._spans, start, key=lambda span: span[1])
        last = bisect.bisect_right(self._spans, end, key=lambda span: span[0])
        if first < last:
            start = min(start, self._spans[first][0])
            end = max(end, self._spans[last - 1][1])
        self._spans[first:last] = [(start, end)]

    @property
    def size_bytes(self) -> int:
        return sum(end - start for start, end in self._spans)

    @property
    def prefix_bytes(self) -> int:
        """From zero, without a gap."""
        return self._spans[0][1] if self._spans and self._spans[0][0] == 0 else 0

    def gaps(self, size: int) -> list[tuple[int, int]]:
        """What is missing of a file of `size` bytes."""
        found, at = [], 0
        for start, end in [*self._spans, (size, size)]:
            if at < start:
                found.append((at, start))
            at = max(at, end)
        return found


class Segment(msgspec.Struct):
    """Bytes that one connection fetches; `position` is the next one to come."""

    position: int
    end: int


class Segments:
    def __init__(self, size: int, here: Ranges) -> None:
        self.size = size
        self.here = here
        self._missing = here.gaps(size)

    def take(self, connections: int) -> Segment | None:
        """The first bytes that nobody fetches; connections: how many will share the rest."""
        if not self._missing:
            return None
        left = sum(end - start for start, end in self._missing)
        length = max(SMALLEST_BYTES, min(SEGMENT_BYTES, left // (2 * connections)))
        start, end = self._missing[0]
        # No request is worth a few bytes.
        if end - start <= length + SMALLEST_BYTES:
            length = end - start
        if start + length == end:
            del self._missing[0]
        else:
            self._missing[0] = (start + length, end)
        return Segment(start, start + length)

    def take_everything(self, segment: Segment) -> None:
        """Make `segment` all there is; nothing else is under way or here."""
        self._missing.clear()
        segment.position, segment.end = 0, self.size

    def moved(self, segment: Segment, size_bytes: int) -> None:
        start = segment.position
        segment.position += size_bytes
        self.here.add(start, segment.position)

    def give_back(self, segment: Segment) -> None:
        """What did not come of it is for the next who asks."""
        if segment.position < segment.end:
            bisect.insort(self._missing, (segment.position, segment.end))
            segment.end = segment.position

    @property
    def is_whole(self) -> bool:
        return self.here.prefix_bytes == self.size
