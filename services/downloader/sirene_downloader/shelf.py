"""Files that are on the volume already, taken into a draft instead of being fetched again.

From the model's own directory, which is how a repair and an update keep what is right; and from
every other variant, where the record names the same sha256 and length. A file is linked where the
filesystem can, and copied where it cannot; either way it is hashed first. A linked file has one
content for all its names, so nothing may ever write into it: drop_links() before a draft is worked
on again, and a pull leaves alone what is taken from here.
"""

import errno
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import aiofiles

from sirene_downloader.checking import BLOCK_BYTES, Expected, check, run
from sirene_downloader.finishing import finish
from sirene_downloader.remote import Digest, RemoteFile
from sirene_shared.errors import ModelDamaged
from sirene_shared.names import ModelRef
from sirene_shared.store import RecordedFile, Store

log = logging.getLogger(__name__)

# Beside the tree, until it is known to be right.
BESIDE_NAME = "taken"
NO_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS}
)
T = TypeVar("T")


class Taken(NamedTuple):
    file: RecordedFile
    is_own: bool
    """From the model's own directory, which is right as far as this file goes."""


class Shelf:
    """What the store has that the model `ref` could use."""

    def __init__(self, store: Store, ref: ModelRef) -> None:
        """Blocks. Raises: OSError."""
        self.own = store.directory(ref)
        self._known = {file.path: file for _, file in _recorded(store, ref)}
        self._others: dict[tuple[int, str], list[Path]] = {}
        for other in store.directories():
            for path, file in _recorded(store, other) if other != ref else ():
                self._others.setdefault((file.size, file.sha256), []).append(path)

    def places(self, remote: RemoteFile) -> Iterator[tuple[Path, Expected]]:
        """Where the file may lie, and how to tell that it is the one."""
        own = self.own / remote.path
        known = self._known.get(remote.path)
        digests = remote.digests
        if not digests and known and known.size == remote.size:
            # Nobody says what it must hash to; what it had when it came is the best there is.
            digests = (Digest("sha256", known.sha256),)
        expected = Expected(remote.path, remote.size, digests)
        if digests and own.is_file() and not own.is_symlink():
            yield own, expected
        for digest in remote.digests:
            if digest.algorithm == "sha256" and remote.size:
                for path in self._others.get((remote.size, digest.hex), ()):
                    yield path, expected

    def shared_bytes(self, files: Iterable[RemoteFile]) -> dict[str, int]:
        """The length of every file that seems to be here, by path; nothing is hashed. Blocks."""
        return {file.path: file.size for file in files if self._seems_here(file)}

    def _seems_here(self, remote: RemoteFile) -> bool:
        for path, expected in self.places(remote):
            with suppress(OSError):
                if path.stat().st_size == expected.size:
                    return True
        return False


def drop_links(tree: Path) -> None:
    """Remove every file of the tree that has another name elsewhere. Blocks. Raises: OSError."""
    for path in tree.rglob("*"):
        if path.is_file() and path.lstat().st_nlink > 1:
            path.unlink()


async def take(
    shelf: Shelf,
    tree: Path,
    remote: RemoteFile,
    executor: Executor,
    hashed: Callable[[int], None],
    room: Callable[[], int],
) -> Taken | None:
    """The file, now in the tree and proven right; None when it must be fetched.

    room: the bytes that a copy may take, where the filesystem has no links.
    """

    async def in_thread(work: Callable[[], T]) -> T:
        return await finish(run(executor, work))

    beside = tree.parent / BESIDE_NAME
    for path, expected in shelf.places(remote):
        try:
            await in_thread(partial(_link, path, beside))
        except OSError as error:
            if error.errno not in NO_LINK or await in_thread(room) < remote.size:
                continue
            if not await _copy(path, beside, executor):
                continue
        verdict = await check(beside, expected, executor, hashed, durably=True)
        if verdict.is_good:
            await in_thread(lambda: _move(beside, tree / remote.path))
            file = RecordedFile(path=remote.path, size=remote.size, sha256=verdict.sha256)
            return Taken(file, path == shelf.own / remote.path)
        log.info("%s on the volume is %s: it is not used", remote.path, verdict.state)
    await in_thread(lambda: beside.unlink(missing_ok=True))
    return None


def _link(path: Path, beside: Path) -> None:
    beside.unlink(missing_ok=True)
    os.link(path, beside, follow_symlinks=False)


async def _copy(path: Path, beside: Path, executor: Executor) -> bool:
    try:
        async with (
            aiofiles.open(path, "rb", executor=executor) as source,
            aiofiles.open(beside, "wb", executor=executor) as target,
        ):
            while block := await finish(source.read(BLOCK_BYTES)):
                await finish(target.write(block))
    except OSError as error:
        log.info("a file on the volume could not be copied: %s", os.strerror(error.errno or 0))
        return False
    return True


def _move(beside: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    beside.rename(place)


def _recorded(store: Store, ref: ModelRef) -> Iterator[tuple[Path, RecordedFile]]:
    record = None
    with suppress(ModelDamaged):
        record = store.record(ref)
    for file in record.files if record else ():
        yield store.directory(ref) / file.path, file
