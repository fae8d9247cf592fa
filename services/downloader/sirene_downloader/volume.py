"""Changes to the volume, whole or not at all, and its errors in our words. All of it blocks."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sirene_shared.errors import DiskFull, PullError, VolumeUnwritable
from sirene_shared.store import RECORD_NAME

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def volume_errors() -> Iterator[None]:
    """OSError as DiskFull or VolumeUnwritable."""
    try:
        yield
    except OSError as error:
        raise problem(error) from error


def problem(error: OSError) -> PullError:
    """What the operating system refused, without the path it says it of."""
    if error.errno in FULL:
        return DiskFull(
            "the volume is full",
            hint="Free some space and pull again: it goes on where it stopped.",
        )
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return VolumeUnwritable(
        f"the models' volume cannot be written: {reason}",
        hint="Check that it is mounted writable and belongs to the downloader's user.",
    )


def own_bytes(tree: Path) -> int:
    """Of the model's files, what goes with the tree: one that has a name elsewhere too stays."""
    files = [path for path in tree.rglob("*") if path.is_file() and path.name != RECORD_NAME]
    found = [path.lstat() for path in files]
    return sum(each.st_size for each in found if each.st_nlink == 1)


def write_whole(path: Path, body: bytes) -> None:
    """Replace `path` so that it holds either its old content or all of `body`."""
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_directory(path.parent)


def touch(path: Path, time_ns: int) -> None:
    os.utime(path, ns=(time_ns, time_ns))


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """Every directory of the tree; its files were synced when they were sealed."""
    for folder, _, _ in os.walk(path, topdown=False):
        sync_directory(Path(folder))


def put_in_place(tree: Path, target: Path, trash: Path) -> None:
    """Give the finished `tree` its final name; what had that name goes to `trash`.

    A rename cannot replace a directory that is not empty, so between the two renames there is
    nothing under that name; a downloader that dies there does both again.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    take_away(target, trash)
    tree.rename(target)
    sync_directory(target.parent)
    sync_directory(target.parent.parent)


def take_away(target: Path, trash: Path) -> bool:
    """Move `target` to the new name `trash`, by one rename; False when it is not there."""
    trash.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.rename(trash)
    except FileNotFoundError:
        return False
    sync_directory(target.parent)
    return True


def remove(path: Path) -> None:
    """A whole tree; no error when it is not there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


def remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()
