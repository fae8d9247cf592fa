"""Work in threads goes on when its task is cancelled: it is waited for, and only then left."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def finish(work: Coroutine[object, object, T]) -> T:
    """The result of `work`; a cancellation is passed on once it has ended.

    A thread that still writes must not meet a file closed, or a folder removed, beneath it.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen, and of no more use
        raise
