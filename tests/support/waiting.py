"""Waiting in tests: on a condition, with a deadline, never for a fixed time."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Return once `holds()` is true, looked at every few milliseconds; for what sends no event."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.01)
