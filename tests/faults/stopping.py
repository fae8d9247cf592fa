"""A worker stopped right before it renames something, and woken up again when the test says so."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.worker import TRACING, Worker


class Sleeper:
    def __init__(self, worker: Worker, tracer: "subprocess.Popen[str]") -> None:
        self._worker = worker
        self._tracer = tracer

    async def sleeps(self, within_s: float = 20.0) -> None:
        """It has come to the rename, and every thread of it stands still."""
        assert self._tracer.stdout is not None
        async with asyncio.timeout(within_s):
            assert await asyncio.to_thread(self._tracer.stdout.readline) == "stopped\n"

    def wake(self) -> None:
        self._worker.send(signal.SIGCONT)
        self._tracer.send_signal(signal.SIGUSR1)


@asynccontextmanager
async def stopped_before_renaming(worker: Worker, path: Path) -> AsyncIterator[Sleeper]:
    """At its first rename of something from or to `path`."""
    command = [*TRACING, "stop", str(path), "1", str(worker.pid)]
    tracer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert tracer.stdout is not None
    try:
        assert await asyncio.to_thread(tracer.stdout.readline) == "ready\n"
        yield Sleeper(worker, tracer)
    finally:
        if worker.is_alive:
            worker.send(signal.SIGKILL)
        tracer.terminate()
        await asyncio.to_thread(tracer.wait)
        tracer.stdout.close()
