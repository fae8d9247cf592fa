"""One file as it arrives: written where it belongs, hashed from the start on, journaled.

Its methods are for several threads at a time. Those that touch the disk block.
"""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from yarl import URL

from sirene_downloader.patience import Patience
from sirene_downloader.remote import HASHES, Algorithm, RemoteFile
from sirene_downloader.transfer.journal import Journal
from sirene_downloader.transfer.reservation import reserve
from sirene_downloader.transfer.segments import Ranges, Segment, Segments
from sirene_downloader.volume import volume_errors
from sirene_shared.errors import HashMismatch

BLOCK_BYTES = 1 << 20
# A kill loses what was not journaled: no more than this for each file.
JOURNAL_BYTES = 4 << 20


class File:
    def __init__(
        self,
        remote: RemoteFile,
        descriptor: int,
        journal: Journal,
        patience: Patience,
        *,
        etag: str,
        note_etag: Callable[[str], None],
    ) -> None:
        """descriptor: the caller's, who closes it last."""
        self.remote = remote
        self.etag = etag
        self.patience = patience
        self.location: URL | None = None
        """Where redirects led to; None: it must be asked for again."""
        self.takes_ranges: bool | None = None
        """None: not known yet, and so one connection finds out."""
        self.restarts = 0
        self.ready_at = 0.0
        """Not before this time is anything fetched."""
        self.active = 0
        """Threads that fetch some of it."""
        self.must_restart = False
        self.hashed_bytes = 0
        self.is_checked = False
        self.is_sealed = False
        self.received = self.lost = 0
        self._descriptor = descriptor
        self._journal = journal
        self._note_etag = note_etag
        self._lock = threading.Lock()
        self._hashing = threading.Lock()
        self._generation = 0
        self._unjournaled, self._unsynced = Ranges(), Ranges()
        self._segments = Segments(remote.size, Ranges())
        self._begin_hashes()

    def open(self) -> int:
        """Recall what is here and reserve the rest; the bytes that are here. Raises: PullError."""
        with volume_errors():
            here = Ranges(
                (start, min(end, self.remote.size))
                for start, end in self._journal.read()
                if start < self.remote.size
            )
            reserve(self._descriptor, self.remote.size)
            if here.size_bytes:
                os.fdatasync(self._descriptor)  # who wrote it may not have lived to do so
            self._journal.begin(here)
        self._segments = Segments(self.remote.size, here)
        return here.size_bytes

    def take(self, connections: int) -> Segment | None:
        """The next bytes to fetch, for a thread that counts as active from now on."""
        with self._lock:
            if self.must_restart or (self.active and not self.takes_ranges):
                return None
            segment = self._segments.take(connections)
            if segment is not None:
                self.active += 1
            return segment

    def give_back(self, segment: Segment) -> None:
        """The thread is done with it, whatever came of it."""
        with self._lock:
            self._segments.give_back(segment)
            self.active -= 1

    def write(self, segment: Segment, data: memoryview) -> None:
        """Raises: DiskFull, VolumeUnwritable."""
        at, rest = segment.position, data
        with volume_errors():
            while rest:
                written = os.pwrite(self._descriptor, rest, at)
                at, rest = at + written, rest[written:]
            with self._lock:
                start = segment.position
                self._segments.moved(segment, len(data))
                self._unjournaled.add(start, at)
                self._unsynced.add(start, at)
                self.received += len(data)
                if self._unjournaled.size_bytes >= JOURNAL_BYTES:
                    self._write_journal()
        self.patience.moved(len(data))

    def begin(self, etag: str) -> None:
        """The first answer is here: what follows is from this origin. Raises: PullError."""
        if etag != self.etag:
            self.etag = etag
            with volume_errors():
                self._note_etag(etag)

    def restart(self) -> None:
        """Begin with nothing, where it must; only while no thread is active. Raises: PullError."""
        with self._hashing, self._lock:
            if self.must_restart:
                self._restart()

    def claim(self, segment: Segment) -> bool:
        """Begin with nothing and with `segment` as all of it; False while others are active.

        Raises: PullError.
        """
        with self._hashing, self._lock:
            self.takes_ranges = False
            if self.active > 1:
                return False
            if self._segments.here.size_bytes:
                self._restart()
            self._segments.take_everything(segment)
            return True

    def _restart(self) -> None:
        self.restarts += 1
        self._generation += 1
        self.lost += self._segments.here.size_bytes
        # Before a byte of another version is written over what the journal tells of.
        with volume_errors():
            self._journal.begin(Ranges())
        self._unjournaled, self._unsynced = Ranges(), Ranges()
        self._segments = Segments(self.remote.size, Ranges())
        self.must_restart = self.is_checked = False
        self.etag = ""
        self._begin_hashes()

    @property
    def is_empty(self) -> bool:
        with self._lock:
            return not self._segments.here.size_bytes

    @property
    def is_whole(self) -> bool:
        with self._lock:
            return self._segments.is_whole

    def hash_some(self, buffer: memoryview) -> int:
        """Hash what lies without a gap behind what is hashed, a buffer at most; how much it was.

        Raises: VolumeUnwritable.
        """
        with self._lock:
            until = self._segments.here.prefix_bytes
        with self._hashing:
            missing = min(until - self.hashed_bytes, len(buffer))
            if missing <= 0:
                return 0
            with volume_errors():
                size_bytes = os.preadv(self._descriptor, [buffer[:missing]], self.hashed_bytes)
                if not size_bytes:  # somebody cut it
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
            for each in self._hashes.values():
                each.update(buffer[:size_bytes])
            self.hashed_bytes += size_bytes
            return size_bytes

    def check(self) -> None:
        """Once all is hashed. Raises: HashMismatch."""
        for wanted in self.remote.digests:
            if self._hashes[wanted.algorithm].hexdigest() != wanted.hex:
                raise HashMismatch(
                    f"{self.remote.path!r} arrived altered: its {wanted.algorithm} is not the"
                    " published one",
                    hint="Pull again; if it stays so, the hub or a proxy serves a wrong file.",
                )
        self.is_checked = True

    def sync(self) -> None:
        """Make durable what is here, then say so in the journal. Raises: PullError."""
        with self._lock:
            generation, spans, self._unsynced = self._generation, self._unsynced, Ranges()
            is_checked = self.is_checked
        with volume_errors():
            if is_checked:
                os.fsync(self._descriptor)
                self.is_sealed = True
                return
            if not spans.size_bytes:
                return
            os.fdatasync(self._descriptor)
            with self._lock:
                if generation == self._generation:
                    self._journal.synced(spans)

    def note(self) -> None:
        """Tell the journal what was written: on a slow line 4 MiB take long. Raises: PullError."""
        with volume_errors(), self._lock:
            if self._unjournaled.size_bytes:
                self._write_journal()

    def close(self) -> None:
        """When no thread works on it any more: what came is known to the next one."""
        with self._lock:
            try:
                self._write_journal()
            finally:
                self._journal.close()

    @property
    def sha256(self) -> str:
        return self._hashes["sha256"].hexdigest()

    def _write_journal(self) -> None:
        spans, self._unjournaled = self._unjournaled, Ranges()
        self._journal.wrote(spans)

    def _begin_hashes(self) -> None:
        # The install record names the sha256 in any case.
        wanted: set[Algorithm] = {"sha256", *(each.algorithm for each in self.remote.digests)}
        self._hashes = {name: HASHES[name](self.remote.size) for name in wanted}
        self.hashed_bytes = 0


def open_plainly(path: Path) -> int:
    """Never through a symbolic link that somebody laid there. Raises: OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
