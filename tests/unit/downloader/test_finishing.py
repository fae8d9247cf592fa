"""A cancelled task waits for its thread."""

import asyncio
from pathlib import Path

import pytest

from sirene_downloader.finishing import finish


async def test_a_cancellation_is_passed_on_once_the_work_has_ended() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    task = asyncio.create_task(finish(work()))
    await begun.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=0.01)
    assert not done
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_the_result_and_the_error_of_the_work_are_its_own(tmp_path: Path) -> None:
    async def work(path: Path) -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    (tmp_path / "a").write_bytes(b"content")
    assert await finish(work(tmp_path / "a")) == b"content"
    with pytest.raises(FileNotFoundError):
        await finish(work(tmp_path / "b"))
