"""Changes to the volume, whole or not at all, and its errors in our words. All of it blocks."""

import ctypes
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sirene_downloader.tree import files_below
from sirene_shared.errors import DiskFull, PullError, VolumeUnwritable
from sirene_shared.store import RECORD_NAME

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What a rename onto a directory with something in it, or onto a file, says.
OCCUPIED = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR})
NO_EXCHANGE = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
# Of renameat2(2), which Python does not offer.
AT_FDCWD, RENAME_EXCHANGE = -100, 2
PLACE_TRIES = 10


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
    return sum(
        found.st_size
        for path, found in files_below(tree)
        if path.name != RECORD_NAME and found.st_nlink == 1
    )


def write_whole(path: Path, body: bytes) -> None:
    """Replace `path` so that it holds either its old content or all of `body`."""
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_directory(path.parent)


def write_whole_in(folder: int, name: str, body: bytes) -> None:
    """write_whole() in the directory that is open as `folder`, wherever it lies by now."""

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW, 0o666, dir_fd=folder)

    with open(f"{name}.new", "wb", opener=opener) as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    os.rename(f"{name}.new", name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


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

    Raises: FileNotFoundError when there is no `tree` any more, and then nothing has changed: a
    downloader that was stopped, and whose draft another one has taken away meanwhile, replaces
    nothing.
    """
    for _ in range(PLACE_TRIES):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            tree.rename(target)
            break
        except FileNotFoundError:
            # Whoever deletes another variant removes the model's folder when it is empty.
            if not tree.exists():
                remove_if_empty(target.parent)
                raise
        except OSError as error:
            if error.errno not in OCCUPIED:
                raise
            _replace(tree, target, trash)
            break
    sync_directory(target.parent)
    sync_directory(target.parent.parent)


def _replace(tree: Path, target: Path, trash: Path) -> None:
    if exchange(tree, target):
        take_away(tree, trash)
        return
    # Between the two renames there is nothing under that name; a downloader that dies there does
    # both again.
    if not tree.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    is_away = take_away(target, trash)
    try:
        tree.rename(target)
    except FileNotFoundError:
        if is_away:
            trash.rename(target)
        raise


def exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the system or the filesystem cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number))


def take_away(target: Path, trash: Path) -> bool:
    """Move `target` to the new name `trash`, by one rename; False when it is not there."""
    trash.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.rename(trash)
    except FileNotFoundError:
        return False
    sync_directory(target.parent)
    return True


def move_into(target: Path, folder: Path, name: str) -> bool:
    """Move `target` into the folder that is there, by one rename; False when there is no target.

    Raises: FileNotFoundError when there is no such folder.
    """
    try:
        target.rename(folder / name)
    except FileNotFoundError:
        if not folder.exists():
            raise
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
