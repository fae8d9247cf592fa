"""Files on the volume held against what they should be: hashed in threads, a block at a time.

A cancellation is obeyed after the block that is being read.
"""

import asyncio
import errno
import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple, TypeVar

from sirene_downloader.finishing import finish
from sirene_downloader.remote import HASHES, Algorithm, Digest
from sirene_shared.inquiries import CheckedFile, FileState
from sirene_shared.store import InstallRecord

BLOCK_BYTES = 4 << 20
T = TypeVar("T")


class Expected(NamedTuple):
    """size: None when nobody says; then only the digests count."""

    path: str
    size: int | None
    digests: tuple[Digest, ...]


class Verdict(NamedTuple):
    state: FileState
    sha256: str = ""
    """Of a file that is right."""
    size: int = 0

    @property
    def is_good(self) -> bool:
        return self.state is FileState.OK


def expected_of(record: InstallRecord) -> list[Expected]:
    return [
        Expected(file.path, file.size, (Digest("sha256", file.sha256),)) for file in record.files
    ]


async def check(
    path: Path,
    expected: Expected,
    executor: Executor,
    hashed: Callable[[int], None],
    *,
    durably: bool = False,
) -> Verdict:
    """hashed: told how many bytes each block had. durably: and have the file on the disk for sure.

    Only a plain file is read, and one that grows meanwhile is not what it should be.
    """

    async def in_thread(work: Callable[[], T]) -> T:
        return await finish(run(executor, work))

    try:
        descriptor = await in_thread(lambda: _open(path))
    except OSError as error:
        return Verdict(_state_of(error))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return Verdict(FileState.UNREADABLE)
        size = found.st_size if expected.size is None else expected.size
        if found.st_size != size:
            return Verdict(FileState.WRONG_SIZE)
        wanted: set[Algorithm] = {"sha256", *(each.algorithm for each in expected.digests)}
        hashes = {name: HASHES[name](size) for name in wanted}

        def hash_next() -> int:
            block = os.read(descriptor, BLOCK_BYTES)
            for each in hashes.values():
                each.update(block)
            return len(block)

        seen = 0
        while count := await in_thread(hash_next):
            seen += count
            hashed(count)
            if seen > size:
                break
        if seen != size:
            return Verdict(FileState.WRONG_SIZE)
        if any(hashes[each.algorithm].hexdigest() != each.hex for each in expected.digests):
            return Verdict(FileState.WRONG_HASH)
        if durably:
            await in_thread(lambda: os.fsync(descriptor))
        return Verdict(FileState.OK, hashes["sha256"].hexdigest(), size)
    except OSError as error:
        return Verdict(_state_of(error))
    finally:
        os.close(descriptor)


async def check_all(
    folder: Path,
    files: Iterable[Expected],
    executor: Executor,
    hashed: Callable[[int], None] = lambda _: None,
    checked: Callable[[CheckedFile], None] = lambda _: None,
    *,
    durably: bool = False,
) -> dict[str, Verdict]:
    """Each file of the folder by its path; checked: told of each at once."""
    verdicts = {}
    for file in files:
        verdict = await check(folder / file.path, file, executor, hashed, durably=durably)
        verdicts[file.path] = verdict
        checked(CheckedFile(path=file.path, size=file.size or verdict.size, state=verdict.state))
    return verdicts


async def run(executor: Executor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, work)


def _open(path: Path) -> int:
    # A pipe that somebody laid there must not hold us up.
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _state_of(error: OSError) -> FileState:
    is_gone = error.errno in (errno.ENOENT, errno.ENOTDIR)
    return FileState.MISSING if is_gone else FileState.UNREADABLE
