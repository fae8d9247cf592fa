"""Waiting in tests: on a condition, with a deadline, never for a fixed time."""

import asyncio
import threading
import time
from collections.abc import Callable

LOOK_S = 0.01


async def until(holds: Callable[[], object], *, within_s: float = 10.0) -> None:
    """Return once `holds()` is true, looked at every few milliseconds; for what sends no event."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(LOOK_S)


def until_true(holds: Callable[[], object], *, within_s: float = 10.0) -> bool:
    """The same without an event loop; False when the time is over."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not holds():
        if time.monotonic() > deadline:
            return False
        pause.wait(LOOK_S)
    return True
