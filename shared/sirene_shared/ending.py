"""Ending background tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 0.25


async def end(tasks: Iterable["asyncio.Task[Any]"], *, again_s: float = AGAIN_S) -> None:
    """Cancel the tasks and return once each has ended, even if this is cancelled meanwhile.

    Once is not always enough: in Python 3.11 a cancel is lost when it meets an asyncio.wait_for
    that has its result, and nats-py is full of these. So what they do to clean up must bear to be
    cancelled in the midst of it. What they raise is the caller's to look at, or of no interest.
    """
    interruption: asyncio.CancelledError | None = None
    ending = set(tasks)
    pending = set(ending)
    while pending:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=again_s)
        except asyncio.CancelledError as error:
            interruption = error
        pending = {task for task in pending if not task.done()}
    for task in ending:
        if not task.cancelled():
            task.exception()  # seen
    if interruption is not None:
        raise interruption
