"""A real `sirene up` in its own process, and what it left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.support.waiting import until

STAND_INS = Path(__file__).parent / "stand_ins"
START_S = 30.0
END_S = 20.0


class Up:
    """`sirene up` over the stand-ins, with its data in `folder`."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.data = folder / "data"
        self._journal = folder / "journal"
        self._journal.touch()
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SIRENE_", "INFERENCE_", "NATS_", "HF_"))
        } | {
            "PYTHONPATH": str(STAND_INS),
            "STAND_IN_JOURNAL": str(self._journal),
            "SIRENE_DATA": str(self.data),
            "HF_HOME": str(folder),
            **environ,
        }
        self.output = ""
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self, *arguments: str) -> "Up":
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sirene_cli", "up", *arguments),
            env=self.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        return self

    async def ready(self, *arguments: str) -> "Up":
        """Start, and wait for the banner."""
        await self.start(*arguments)
        await until(lambda: self.has_ended or "is ready" in self.output, within_s=START_S)
        assert not self.has_ended, self.output
        return self

    async def ended(self) -> int:
        """The exit status, once all output was read."""
        assert self._process
        assert self._reader
        async with asyncio.timeout(END_S):
            status = await self._process.wait()
            await self._reader
        return status

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    @property
    def journal(self) -> list[str]:
        return self._journal.read_text().splitlines()

    def pids(self, name: str) -> list[int]:
        """Of every start of the service so far."""
        start = f"{name} started "
        return [int(line.removeprefix(start)) for line in self.journal if line.startswith(start)]

    def left(self) -> list[psutil.Process]:
        """Every process that lives and was started by this one, however indirectly."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def nats(self) -> psutil.Process:
        return next(process for process in self.left() if "nats-server" in process.name())

    def url(self) -> str:
        return (self.data / "run" / "url").read_text().strip()

    async def close(self) -> None:
        for process in self.left():
            if psutil.pid_exists(process.pid):
                process.kill()
        if self._process and self._reader:
            await self._process.wait()
            await self._reader

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return process.environ().get("STAND_IN_JOURNAL") == str(self._journal)
        except psutil.Error:
            return False

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while chunk := await process.stdout.read(1 << 14):
            self.output += chunk.decode()
