"""What must hold on the volume and on the bus whatever was killed, filled or stopped: one checker.

I1  no corrupt install: every file under a final name has its size and its hash
I2  no half install: a directory under its final name has its record and every file
I5  no orphan bytes: when every job has ended, nothing is left in .staging
I7  honest progress: it never runs backwards, never beyond the total, and ends once
"""

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from sirene_shared.messages import InstallState, ModelStatus, Progress
from sirene_shared.names import ModelRef
from sirene_shared.store import RECORD_NAME, InstallRecord, Store

Files = Mapping[str, bytes]
LOOK_S = 0.02


class Violated(AssertionError):
    """An invariant does not hold."""


class Volume:
    """A volume and what its models must look like."""

    def __init__(self, root: Path, models: Mapping[ModelRef, Files]) -> None:
        self._store = Store(root)
        self._hashes = {
            ref: {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
            for ref, files in models.items()
        }
        self._seen: dict[tuple[int, ...], str] = {}
        self.looks = 0

    def check_installs(self) -> set[ModelRef]:
        """I1 and I2 at this instant, also while others write; the models that are installed."""
        self.looks += 1
        found = set()
        for ref in list(self._store.directories()):
            try:
                folder = os.open(self._store.directory(ref), os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue  # taken away since it was listed
            try:
                self._check_install(ref, folder)
                found.add(ref)
            except Violated:
                if self._is_there(ref, folder):
                    raise
            finally:
                os.close(folder)
        return found

    def check_installed(self, *refs: ModelRef) -> None:
        """These and no others are there, whole."""
        found = self.check_installs()
        if found != set(refs):
            raise Violated(f"installed are {found}, not {set(refs)}")

    def check_no_orphans(self) -> None:
        """I5, when every job has ended and every downloader has left."""
        left = list(self._store.staging.rglob("*"))
        if left:
            raise Violated(f"I5: left in .staging: {[str(path) for path in left]}")

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """I1 and I2 fifty times a second, from a thread, as long as the block lasts."""
        is_over = asyncio.Event()

        async def watch() -> None:
            while not is_over.is_set():
                await asyncio.to_thread(self.check_installs)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await is_over.wait()

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            is_over.set()
            await watching

    def _check_install(self, ref: ModelRef, folder: int) -> None:
        wanted = self._hashes.get(ref)
        if wanted is None:
            raise Violated(f"I2: nobody asked for {ref.id}")
        try:
            record = msgspec.json.decode(_read(folder, RECORD_NAME), type=InstallRecord)
        except (OSError, msgspec.MsgspecError) as error:
            raise Violated(f"I2: {ref.id} has no record: {error}") from error
        if {file.path: file.sha256 for file in record.files} != wanted:
            raise Violated(f"I1: the record of {ref.id} is of other files: {record}")
        try:
            for path, sha256 in wanted.items():
                if self._hash(folder, path) != sha256:
                    raise Violated(f"I1: {path} of {ref.id} is corrupt")
            there = set(_names(folder))
        except OSError as error:
            raise Violated(f"I2: {ref.id} is not whole: {error}") from error
        if there != {*wanted, RECORD_NAME}:
            raise Violated(f"I2: {ref.id} has {there}")

    def _hash(self, folder: int, path: str) -> str:
        """Hashed once for each state of a file: fifty looks a second are cheap."""
        found = os.stat(path, dir_fd=folder, follow_symlinks=False)
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if key not in self._seen:
            self._seen[key] = hashlib.sha256(_read(folder, path)).hexdigest()
        return self._seen[key]

    def _is_there(self, ref: ModelRef, folder: int) -> bool:
        """Still under its final name: not taken away while it was read."""
        try:
            return os.path.samestat(self._store.directory(ref).stat(), os.fstat(folder))
        except FileNotFoundError:
            return False


def _read(folder: int, path: str) -> bytes:
    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)

    with open(path, "rb", opener=opener) as file:
        return file.read()


def _names(folder: int, prefix: str = "") -> Iterable[str]:
    """Every file below, as paths relative to `folder`."""
    descriptor = os.open(prefix or ".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
    try:
        names = os.listdir(descriptor)  # noqa: PTH208
    finally:
        os.close(descriptor)
    for name in names:
        path = f"{prefix}{name}"
        if stat.S_ISDIR(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode):
            yield from _names(folder, f"{path}/")
        else:
            yield path


def check_progress(told: Sequence[Progress | ModelStatus]) -> None:
    """I7 over everything that one job said, in the order in which it was heard."""
    seq, attempt, done, ended = -1, 0, 0, False
    for each in told:
        if each.seq <= seq:
            raise Violated(f"I7: number {each.seq} after {seq}")
        if ended:
            raise Violated(f"I7: it goes on after its end: {each}")
        seq = each.seq
        if isinstance(each, ModelStatus):
            ended = not each.state.is_active
        transfer = each.transfer
        if transfer is None:
            continue
        if transfer.attempt == attempt and transfer.done_bytes < done:
            raise Violated(f"I7: {transfer.done_bytes} bytes after {done}")
        if transfer.total_bytes is not None and transfer.done_bytes > transfer.total_bytes:
            raise Violated(f"I7: {transfer.done_bytes} of {transfer.total_bytes} bytes")
        attempt, done = transfer.attempt, transfer.done_bytes


def check_end(status: ModelStatus | None, state: InstallState, job: str) -> None:
    """I3: the job is not lost: it has come to this end."""
    if status is None or (status.state, status.job) != (state, job):
        raise Violated(f"I3: {job} ended as {status}")
