"""The hours of the day in which pulls run."""

import re
from datetime import datetime
from typing import NamedTuple

from sirene_shared.errors import InvalidRequest

SPAN = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


class Hours(NamedTuple):
    """spans: minutes of the day, from one up to but not with the other; none: always."""

    text: str
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """`22:00-06:00`, several with commas, or empty. Raises: InvalidRequest."""
        spans = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            found = SPAN.fullmatch(part)
            if not found:
                raise InvalidRequest(f"SIRENE_PULL_HOURS: {part!r} is not like 22:00-06:00")
            from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
            start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
            if start == end:
                raise InvalidRequest(f"SIRENE_PULL_HOURS: {part!r} has no length")
            spans.append((start, end))
        return cls(text.strip(), tuple(spans))

    def are_open(self, at: datetime) -> bool:
        minute = at.hour * 60 + at.minute
        return not self.spans or any(
            # One that ends before it starts goes over midnight.
            start <= minute < end if start < end else minute >= start or minute < end
            for start, end in self.spans
        )
