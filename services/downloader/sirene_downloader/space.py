"""Who may fill what is free: every running pull notes in its draft how much it will take.

    .staging/<writer>/<name>.<variant>/reserved       the bytes of all files, in decimal

What it still takes is that, less what its tree has on the disk already; so the note of a pull that
preallocates, or nears its end, counts less and less by itself. A dead writer's note counts nothing.
All of it blocks. Raises: OSError.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from sirene_downloader.draft import TREE_NAME
from sirene_downloader.staging import Staging
from sirene_downloader.tree import children, files_below

RESERVED_NAME = "reserved"
# Of st_blocks, whatever the filesystem's own block is.
BLOCK_BYTES = 512


class Room(NamedTuple):
    free: int
    """On the filesystem that the bytes will lie on."""
    reserved: int
    """By the pulls of other models, here and in every other downloader."""

    @property
    def left(self) -> int:
        return self.free - self.reserved


def look(staging: Staging, key: str) -> Room:
    """How much room there is for the model `key`."""
    return Room(free_bytes(staging.folder), _reserved_bytes(staging, besides=key))


def reserve(staging: Staging, draft: Path, total: int, kept: int, spare: int) -> tuple[int, Room]:
    """Note that the draft will have `total` bytes, if there is room for what it lacks.

    kept: how many of them are here. Returns what it needs and the room there was; it is reserved
    if the first is not more than the second.
    """
    with _alone(staging.folder):
        needed = max(0, total - max(kept, allocated_bytes(draft / TREE_NAME))) + spare
        room = Room(free_bytes(draft), _reserved_bytes(staging, besides=draft.name))
        if needed <= room.left:
            (draft / RESERVED_NAME).write_text(str(total))
    return needed, room


def release(draft: Path) -> None:
    """A draft that nobody works on takes no more than what it has."""
    (draft / RESERVED_NAME).unlink(missing_ok=True)


def free_bytes(path: Path) -> int:
    """For us, on the filesystem where `path` lies or would be made."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def allocated_bytes(tree: Path) -> int:
    """What the files of the tree take on the disk: a part with holes, or one preallocated, is
    neither as long nor as short as it looks."""
    return sum(found.st_blocks * BLOCK_BYTES for _, found in files_below(tree))


def _reserved_bytes(staging: Staging, *, besides: str) -> int:
    total = 0
    for corner, lives in staging.corners():
        for draft in children(corner) if lives else ():
            if draft.name == besides:
                continue
            with suppress(FileNotFoundError, NotADirectoryError, ValueError):
                wanted = int((draft / RESERVED_NAME).read_text())
                total += max(0, wanted - allocated_bytes(draft / TREE_NAME))
    return total


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of all downloaders on the volume; where it has no locks two may count the same bytes."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
