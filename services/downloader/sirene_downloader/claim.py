"""A pull command that was picked from the stream: answered once, and never lost by a bus that is
away: what is not answered stays, and is picked again."""

import time
from collections.abc import Callable
from contextlib import suppress

from sirene_downloader.backlog import Backlog, Waiting
from sirene_shared.errors import BusUnavailable, Failure


class Claim:
    def __init__(self, backlog: Backlog, waiting: Waiting) -> None:
        self._backlog = backlog
        self._waiting = waiting
        self.not_before = 0.0
        """By the monotonic clock: when it may be picked again."""

    @property
    def sequence(self) -> int:
        """The command's place in the stream: the later of two commands wins."""
        return self._waiting.sequence

    @property
    def waiting(self) -> Waiting:
        return self._waiting

    def follow(self, waiting: Waiting) -> None:
        """The same command has another place: the stream was made anew."""
        self._waiting = waiting

    async def done(self) -> None:
        """Never to be picked again. A lost answer is no harm: the next pick sees the end."""
        with suppress(BusUnavailable):
            await self._backlog.drop(self._waiting)

    def again(self, after_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """To be picked again, by us after so long."""
        self.not_before = now() + after_s

    async def give_up(self, error: Failure, tries: int) -> None:
        """Into the dead letters, for an operator to see, and only then out of the queue."""
        with suppress(BusUnavailable):
            await self._backlog.bury(self._waiting, error, tries)
