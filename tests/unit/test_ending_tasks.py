"""Background tasks end for certain."""

import asyncio
from contextlib import suppress

import pytest

from sirene_shared.ending import end


async def stubborn(cancels: int) -> None:
    """Swallows this many cancels, as library code does."""
    for _ in range(cancels):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def test_a_task_that_loses_a_cancel_is_cancelled_again() -> None:
    tasks = [asyncio.create_task(stubborn(count)) for count in (1, 2, 3)]
    await asyncio.sleep(0)
    await end(tasks, again_s=0.01)
    assert all(task.done() for task in tasks)


async def test_whoever_ends_tasks_does_so_though_cancelled_itself() -> None:
    task = asyncio.create_task(stubborn(3))
    await asyncio.sleep(0)
    ending = asyncio.create_task(end([task], again_s=0.01))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert task.done()
