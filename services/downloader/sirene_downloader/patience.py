"""How often, and after how long, something that was interrupted is tried again."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractContextManager

from sirene_downloader.request import Interrupted
from sirene_downloader.settings import Limits
from sirene_shared.errors import HubRateLimited

# Progress forgives what was before; less than this is none, or a drop at each byte would go on
# for ever.
FORGIVING_BYTES = 1 << 20


class Patience:
    """Counts the interruptions of one file."""

    def __init__(self, limits: Limits, resting: Callable[[], AbstractContextManager[None]]) -> None:
        self._limits = limits
        self._resting = resting
        self._failures = 0
        self._moved = 0

    def moved(self, size_bytes: int) -> None:
        self._moved += size_bytes
        if self._moved >= FORGIVING_BYTES:
            self._failures = self._moved = 0

    async def after(self, interruption: Interrupted) -> None:
        """Wait until the next try. Raises: the error of `interruption`, when it was the last."""
        wait_s = self.wait_s(interruption)
        with self._resting():
            await asyncio.sleep(wait_s)

    def wait_s(self, interruption: Interrupted) -> float:
        """How long until the next try. Raises: as after()."""
        self._failures += 1
        limits, asked_s = self._limits, interruption.after_s
        if self._failures >= limits.attempts:
            raise interruption.error
        longest_s = min(limits.backoff_max_s, limits.backoff_s * 2 ** (self._failures - 1))
        wait_s = random.uniform(longest_s / 2, longest_s)  # noqa: S311
        if asked_s is not None:
            if asked_s > limits.retry_after_max_s:
                if isinstance(interruption.error, HubRateLimited):
                    interruption.error.retry_after_s = round(asked_s)
                raise interruption.error
            wait_s = max(wait_s, asked_s)
        return wait_s
