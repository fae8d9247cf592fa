"""The real downloader, or another service, in a process of its own, started in milliseconds: forked
from one that has imported everything already, so that hundreds can be killed in a minute.
"""

import asyncio
import ctypes
import importlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

# So that a tracer that is no ancestor is let in, where the kernel asks for that.
PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)
END_S = 20.0
TRACING = (sys.executable, "-I", "-S", str(Path(__file__).with_name("tracing.py")))

FORKS = multiprocessing.get_context("forkserver")
DOWNLOADER, API = "sirene_downloader.app", "sirene_api.__main__"
FORKS.set_forkserver_preload([DOWNLOADER, API])


class Worker:
    """Waits for go(), then is `python -m sirene_downloader` with this environment."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, *, module: str = DOWNLOADER
    ) -> None:
        """module: whose main() it runs."""
        ours, theirs = FORKS.Pipe()
        self._pipe: Connection = ours
        self._is_closed = False
        self._process: ForkServerProcess = FORKS.Process(
            target=_serve, args=(theirs, dict(environment), str(log), module), daemon=True
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def go(self) -> None:
        self._pipe.send(None)

    @property
    def is_alive(self) -> bool:
        return not self._is_closed and self._process.is_alive()

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code, once it has ended; a negative one is the signal that it died of."""
        if self.is_alive:
            self.send(number)
        return await self.ended()

    async def ended(self, within_s: float = END_S) -> int:
        await asyncio.to_thread(self._process.join, within_s)
        code = self._process.exitcode
        assert code is not None, "it does not end"
        self._process.close()
        self._pipe.close()
        self._is_closed = True
        return code


def _serve(pipe: Connection, environment: dict[str, str], log: str, module: str) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY, 0, 0, 0)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    pipe.recv()
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module]
    importlib.import_module(module).main()


class Told:
    """What a tracer has seen, once the block is left."""

    def __init__(self) -> None:
        self.killed_at = ""
        self.calls: list[str] = []


@asynccontextmanager
async def traced(worker: Worker, *command: str) -> AsyncIterator[Told]:
    """The worker under tracing.py, from here to the end of the block."""
    tracer = subprocess.Popen([*command, str(worker.pid)], stdout=subprocess.PIPE, text=True)
    assert tracer.stdout is not None
    told = Told()
    try:
        assert await asyncio.to_thread(tracer.stdout.readline) == "ready\n"
        yield told
    finally:
        if worker.is_alive:
            tracer.terminate()
        last = await asyncio.to_thread(tracer.stdout.read)
        await asyncio.to_thread(tracer.wait)
        tracer.stdout.close()
    if last:
        killed_at, calls = last.split(maxsplit=1)
        told.killed_at, told.calls = killed_at.strip("-"), json.loads(calls)
