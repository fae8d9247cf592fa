"""A child process with a session of its own, which does not outlive this process."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import anyio
import anyio.to_thread
from anyio.abc import Process

from sirene_cli.up import die_with_parent, undertaker

# Longer lines are cut into several; a child that writes no line end must not fill our memory.
MAX_LINE_BYTES = 32 << 10
# What the dead wrote last is waited for this long: who left the session may hold the pipe.
LAST_WORDS_S = 1.0
# After our own death: how long a child may take to end before it is killed.
ORPHAN_GRACE_S = 8.0


class Undertaker:
    """The process that ends every session told to it when this process dies, even by SIGKILL."""

    def __init__(self, *, inherits: tuple[int, ...] = (), grace_s: float = ORPHAN_GRACE_S) -> None:
        """inherits: descriptors that stay open until the last session has ended."""
        self._process = subprocess.Popen(
            [sys.executable, "-IS", undertaker.__file__, str(grace_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=inherits,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._process.communicate()

    def watch(self, leader: int) -> None:
        self._tell(f"+{leader}\n")

    def forget(self, leader: int) -> None:
        self._tell(f"-{leader}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # somebody killed it: the kernel's signal remains
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


class Child:
    """A process that runs, or ran, and the thread that passes its lines on."""

    def __init__(self, process: Process, watcher: Undertaker, reader: threading.Thread) -> None:
        self._process = process
        self._watcher = watcher
        self._reader = reader

    @classmethod
    async def start(
        cls,
        argv: tuple[str, ...],
        environ: Mapping[str, str],
        watcher: Undertaker,
        on_line: Callable[[str], None],
    ) -> Self:
        """on_line: called in a thread of its own with each line of output, without its end."""
        if sys.platform == "linux":
            shim = (sys.executable, "-IS", str(Path(die_with_parent.__file__)), str(os.getpid()))
            argv = (*shim, *argv)
        # A pipe of our own, not the event loop's: a slow terminal then delays the child alone.
        read_end, write_end = os.pipe()
        try:
            # A session of its own: a terminal's Ctrl-C reaches the supervisor alone.
            process = await anyio.open_process(
                argv,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        watcher.watch(process.pid)
        reader = threading.Thread(target=_pass_on, args=(read_end, on_line), daemon=True)
        reader.start()
        return cls(process, watcher, reader)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> str:
        """Wait for its end, end what it left behind, and say how it ended."""
        status = await self._process.wait()
        self.kill()
        self._watcher.forget(self.pid)
        await anyio.to_thread.run_sync(self._reader.join, LAST_WORDS_S, abandon_on_cancel=True)
        if status >= 0:
            return f"exit status {status}"
        with suppress(ValueError):
            return signal.Signals(-status).name
        return f"signal {-status}"

    def terminate(self) -> None:
        """Ask it to end; it ends its own children as it sees fit."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, with all that it has started."""
        undertaker.end_session(self.pid)


def _pass_on(read_end: int, on_line: Callable[[str], None]) -> None:
    with open(read_end, "rb", closefd=True) as pipe:
        while line := pipe.readline(MAX_LINE_BYTES):
            on_line(line.rstrip(b"\r\n").decode("utf-8", "replace"))
