"""One `sirene up` on one data directory, and where others find what it runs."""

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from sirene_cli.failures import CliError
from sirene_cli.folders import shown

# Others look whether the lock is held by holding it for a moment; and processes of a killed
# `sirene up` hold it until the last of them has ended.
PATIENCE_S = 1.0
ENDING_S = 15.0
# flock() has no time limit, so it is tried.
RETRY_S = 0.05


class Instance:
    """Holds the lock of `run`, a folder, as long as it is open; processes may inherit it."""

    def __init__(self, run: Path) -> None:
        """Raises: CliError when another instance holds it, or the folder cannot be written."""
        self._run = run
        try:
            run.mkdir(parents=True, exist_ok=True)
            self.lock = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise CliError(
                f"the data directory {shown(run.parent)} cannot be written: {error.strerror}",
                hint="Choose another one with --data or SIRENE_DATA.",
                code="data_unwritable",
            ) from error
        try:
            self._acquire()
            for name in ("url", "nats-url"):
                (run / name).unlink(missing_ok=True)
            os.ftruncate(self.lock, 0)
            os.pwrite(self.lock, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(self.lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("url", "nats-url"):
            (self._run / name).unlink(missing_ok=True)
        os.close(self.lock)

    def publish(self, name: str, address: str) -> None:
        """Write `address` where others look for it; whole or not at all."""
        part = self._run / f".{name}.part"
        part.write_text(f"{address}\n")
        part.replace(self._run / name)

    def _acquire(self) -> None:
        started = time.monotonic()
        while not _try_lock(self.lock, fcntl.LOCK_EX):
            holder = os.pread(self.lock, 32, 0).decode(errors="replace").strip()
            is_ending = holder.isdigit() and not _is_alive(int(holder))
            if time.monotonic() - started > (ENDING_S if is_ending else PATIENCE_S):
                raise CliError(
                    f"a `sirene up` (process {holder or 'unknown'}) runs on "
                    f"{shown(self._run.parent)} already",
                    hint="Stop it first, or choose another directory with --data.",
                    code="already_running",
                )
            time.sleep(RETRY_S)


def running_url(run: Path) -> str | None:
    """The API's address that an instance which still runs has published in `run`."""
    try:
        address = (run / "url").read_text().strip()
        lock = os.open(run / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _try_lock(lock, fcntl.LOCK_SH) else address or None
    finally:
        os.close(lock)


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
