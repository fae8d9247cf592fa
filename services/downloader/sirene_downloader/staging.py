"""A downloader's own corner of the volume, and what dead ones left in theirs.

    .staging/<writer>/lock                        held while the writer lives
    .staging/<writer>/<name>.<variant>/           a draft (draft.py, space.py)
    .staging/<writer>/trash/                      taken away, being removed

No two processes ever write in one corner, so that they cannot harm each other even where locks are
ignored. All of it blocks.
"""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sirene_downloader import volume
from sirene_downloader.draft import Draft
from sirene_downloader.tree import children
from sirene_shared.names import ModelRef

LOCK_NAME = "lock"
TRASH_NAME = "trash"
# Whoever goes on with a paused pull adopts its draft from here, as from a writer that is no more.
PARKED_NAME = "parked"
PARK_TRIES = 50
# In a thread of the volume's. flock() has no time limit, so it is tried.
PARK_RETRY_S = 0.02
# Who looks at a dead writer's corner is done with it sooner than this; a living one never is.
SOUGHT_TRIES = 25
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class Staging:
    def __init__(self, folder: Path, replica: str) -> None:
        self.folder = folder
        self.writer = f"{replica}-{secrets.token_hex(4)}"
        self._own = folder / self.writer
        self._lock: int | None = None
        self._drafts: dict[ModelRef, Draft] = {}

    def open(self) -> None:
        """Claim the corner, if that was not done. Raises: OSError."""
        while self._lock is None:
            self._own.mkdir(parents=True, exist_ok=True)
            self._lock = _hold(self._own / LOCK_NAME, or_without=True)

    def close(self) -> None:
        """Leave: drafts stay for whoever adopts them, an empty corner goes."""
        if self._lock is None:
            return
        volume.remove(self._own / TRASH_NAME)
        _leave_if_empty(self._own)
        os.close(self._lock)
        self._lock = None

    def draft(self, ref: ModelRef) -> Draft:
        """The model's draft here: ours, or one that a dead writer left, or a new one.

        Under the model's lease only. Raises: OSError.
        """
        self.open()
        own = self._own / ref.key
        for corner in self._dead(ref):
            left = corner / ref.key
            if not left.exists():
                continue
            if own.exists():
                volume.remove(left)  # one is enough
            else:
                left.rename(own)
                volume.sync_directory(self._own)
            _leave_if_empty(corner)
        self.fence(ref)
        draft = self._drafts[ref] = Draft(own)
        draft.open()
        return draft

    def fence(self, ref: ModelRef) -> None:
        """Take the model's draft away from every other writer that lives, so that none that had the
        lease before, and does not know that it lost it, gives its files their final name.

        Under the model's lease only. Raises: OSError.
        """
        for corner, lives in self.corners():
            # What is parked is nobody's; another is just laying something there.
            if not lives or corner == self._own or corner.name == PARKED_NAME:
                continue
            trash = self.trash()
            trash.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                (corner / ref.key).rename(trash)
                with suppress(OSError):  # its writer still writes: sweep() does it
                    volume.remove(trash)

    def holds(self, ref: ModelRef) -> bool:
        """We have a draft of the model, and nobody has had the model's lease since draft()."""
        draft = self._drafts.get(ref)
        return draft is not None and draft.is_ours()

    def park(self, ref: ModelRef) -> None:
        """Lay our draft aside for any downloader. Under the model's lease only. Raises: OSError."""
        own, corner = self._own / ref.key, self.folder / PARKED_NAME
        if not own.exists():
            return
        for _ in range(PARK_TRIES):
            corner.mkdir(exist_ok=True)
            # Others look through it, and remove it when it is empty, while they hold this.
            with _held(corner / LOCK_NAME) as is_ours:
                if is_ours:
                    volume.remove(corner / ref.key)
                    own.rename(corner / ref.key)
                    volume.sync_directory(corner)
                    return
            time.sleep(PARK_RETRY_S)

    def discard(self, ref: ModelRef) -> None:
        """Every draft of the model whose writer is not another living one. Raises: OSError."""
        self.discard_own(ref)
        for corner in self._dead(ref):
            volume.remove(corner / ref.key)
            _leave_if_empty(corner)

    def discard_own(self, ref: ModelRef) -> None:
        """Our own draft of the model alone. Raises: OSError."""
        self._drafts.pop(ref, None)
        volume.remove(self._own / ref.key)

    def trash(self) -> Path:
        """A new name to move something to that shall go."""
        return self._own / TRASH_NAME / secrets.token_hex(8)

    def sweep(self) -> None:
        """Remove what dead writers were about to remove, and their empty corners."""
        for corner in self._dead():
            volume.remove(corner / TRASH_NAME)
            _leave_if_empty(corner)

    def corners(self, ref: ModelRef | None = None) -> Iterator[tuple[Path, bool]]:
        """Every writer's corner and whether its writer lives; the lock of one that does not is held
        while it is looked at. Raises: OSError.

        ref: others may look at the same corner now, also in this process; where it has a draft of
        this model they are waited for, or the draft would be left for good.
        """
        for corner in children(self.folder):
            if not corner.is_dir() or corner.is_symlink():
                continue
            if corner == self._own:
                yield corner, True
                continue
            is_sought = ref is not None and (corner / ref.key).exists()
            with _held(corner / LOCK_NAME, tries=SOUGHT_TRIES if is_sought else 1) as is_ours:
                yield corner, not is_ours

    def _dead(self, ref: ModelRef | None = None) -> Iterator[Path]:
        for corner, lives in self.corners(ref):
            if not lives:
                yield corner


def _leave_if_empty(corner: Path) -> None:
    """Whoever removes a corner holds its lock."""
    if not any(entry.name != LOCK_NAME for entry in corner.iterdir()):
        volume.remove(corner)


@contextmanager
def _held(path: Path, *, tries: int = 1) -> Iterator[bool]:
    descriptor = None
    with suppress(OSError):
        while (descriptor := _hold(path)) is None and (tries := tries - 1) > 0:
            time.sleep(PARK_RETRY_S)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _hold(path: Path, *, or_without: bool = False) -> int | None:
    """A lock on the file that lies at `path`; None when another process has it, or removed it.

    or_without: go on where the filesystem has no locks. Nobody adopts a draft there.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The corner may have been swept between the two calls above.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        if or_without and error.errno in NO_LOCKS:
            return descriptor
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
