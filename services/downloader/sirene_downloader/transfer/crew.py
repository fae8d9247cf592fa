"""The threads of one pull: some fetch, one hashes behind them, one syncs; what each may do next."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from sirene_downloader.request import Interrupted
from sirene_downloader.sources import FileFailed
from sirene_downloader.transfer.answer import Anew
from sirene_downloader.transfer.carrier import carry
from sirene_downloader.transfer.file import BLOCK_BYTES, File
from sirene_downloader.transfer.line import Line, Stopped
from sirene_downloader.transfer.pilot import Pilot
from sirene_downloader.transfer.segments import Segment
from sirene_downloader.transfer.wire import Wire
from sirene_shared.errors import HashMismatch, HubRateLimited, PullError, SireneError

log = logging.getLogger(__name__)

BUFFER_BYTES = 512 << 10
SYNC_S = 1.0
# How soon what no notice is given of is seen: a wait that is over, a new limit.
LOOK_S = 0.05
# More often a file does not begin anew: its origin gives another one each time.
MAX_RESTARTS = 5


class Crew:
    """start(), tick() until `is_over`, close(); then `error`, or every file is sealed."""

    def __init__(self, files: Sequence[File], wire: Wire, *, ended: Callable[[], None]) -> None:
        """files: opened and recalled; ended: called once, from a thread, when it is over."""
        self._files = tuple(files)
        self._wire = wire
        self._ended = ended
        self._changed = threading.Condition()
        self._threads: list[tuple[threading.Thread, Line]] = []
        self._fetching: dict[int, tuple[Line, File | None]] = {}
        self._pilot = Pilot(time.monotonic(), wire.throttle.connections)
        self._is_stopped = False
        self.error: BaseException | None = None
        self.is_over = False

    def start(self) -> None:
        self._spawn("hash", self._hash)
        self._spawn("sync", self._sync)
        self.tick()

    def tick(self) -> None:
        """Bring the number of connections to what helps; call it some times a second."""
        now = time.monotonic()
        with self._changed:
            for _, line in self._threads:
                line.look(now)
            if self.is_over or self._is_stopped:
                return
            busy = sum(file is not None for _, file in self._fetching.values())
            limit = max(1, self._wire.throttle.connections)
            is_busy = busy >= self._pilot.count and not self._wire.throttle.max_rate
            count = self._pilot.measure(self.received, now, limit=limit, is_busy=is_busy)
            if self.is_fetched:
                return
            for number in range(count):
                if number not in self._fetching:
                    line = self._spawn(f"fetch {number}", self._fetch, number)
                    self._fetching[number] = (line, None)

    @property
    def received(self) -> int:
        return sum(file.received for file in self._files)

    @property
    def in_work(self) -> tuple[str, ...]:
        """The paths of the files that are fetched now, in the model's order."""
        with self._changed:
            fetched = [file for _, file in self._fetching.values()]
        return tuple(file.remote.path for file in self._files if file in fetched)

    @property
    def is_fetched(self) -> bool:
        return all(file.is_whole for file in self._files)

    @property
    def is_resting(self) -> bool:
        """All that is left to fetch waits for a retry."""
        now = time.monotonic()
        left = [file for file in self._files if not file.is_whole]
        return bool(left) and all(file.ready_at > now and not file.active for file in left)

    def stop(self) -> None:
        """Nothing more is fetched, whatever it waits for; close() to be sure of it."""
        with self._changed:
            self._is_stopped = True
            for _, line in self._threads:
                line.cut()
            self._changed.notify_all()

    def close(self) -> None:
        """Return when no thread touches a file any more."""
        self.stop()
        for thread, line in self._threads:
            # One that still connects finds its line cut and leaves; it is not waited for.
            while thread.is_alive() and not line.is_reaching_out:
                thread.join(LOOK_S)

    def _spawn(self, name: str, work: Callable[..., None], *arguments: int) -> Line:
        line = Line()
        thread = threading.Thread(
            target=self._guarded, args=(work, line, *arguments), name=name, daemon=True
        )
        self._threads = [each for each in self._threads if each[0].is_alive()]
        self._threads.append((thread, line))
        thread.start()
        return line

    def _guarded(self, work: Callable[..., None], line: Line, *arguments: int) -> None:
        try:
            work(line, *arguments)
        except Stopped:
            pass
        except (SireneError, FileFailed) as error:
            self._end(error)
        except Exception as error:
            log.debug("a transfer's thread failed", exc_info=True)
            self._end(error)

    def _end(self, error: BaseException | None = None) -> None:
        with self._changed:
            if self.is_over:
                return
            self.is_over, self.error = True, error
        self.stop()
        self._ended()

    def _fetch(self, line: Line, number: int) -> None:
        buffer = memoryview(bytearray(BUFFER_BYTES))
        try:
            while (task := self._next(line, number)) is not None:
                file, segment = task
                try:
                    self._carry(file, segment, buffer, line)
                except PullError as error:
                    raise FileFailed(file.remote.path, error) from error
                finally:
                    file.give_back(segment)
                    with self._changed:
                        self._fetching[number] = (line, None)
                        self._changed.notify_all()
        finally:
            with self._changed:
                del self._fetching[number]

    def _carry(self, file: File, segment: Segment, buffer: memoryview, line: Line) -> None:
        """Raises: Stopped, PullError when this was the last try."""
        try:
            carry(self._wire, file, segment, buffer, line)
        except Anew as anew:
            self._begin_anew(file, anew.error)
        except Interrupted as interruption:
            self._interrupted(file, interruption)

    def _next(self, line: Line, number: int) -> tuple[File, Segment] | None:
        """Something to fetch; None: this thread is not needed any more."""
        while True:
            for file in self._files:
                if file.must_restart and not file.active:
                    file.restart()
            with self._changed:
                if self._is_stopped:
                    raise Stopped
                if number >= self._pilot.count or all(file.is_sealed for file in self._files):
                    return None
                now = time.monotonic()
                for file in self._files:
                    segment = None if file.ready_at > now else file.take(self._pilot.count)
                    if segment is not None:
                        self._fetching[number] = (line, file)
                        return file, segment
                self._changed.wait(LOOK_S)

    def _interrupted(self, file: File, interruption: Interrupted) -> None:
        """Raises: the error, when it was the last time."""
        if file.restarts > MAX_RESTARTS:
            raise interruption.error
        now = time.monotonic()
        with self._changed:
            self._pilot.complaint(self.received, now)
            # Connections that break together are one interruption.
            if file.ready_at <= now or isinstance(interruption.error, HubRateLimited):
                file.ready_at = now + file.patience.wait_s(interruption)

    def _begin_anew(self, file: File, error: SireneError) -> None:
        with self._changed:
            if file.must_restart:
                return
            file.must_restart = True
            for other, theirs in self._fetching.values():
                if theirs is file:
                    other.interrupt()
        self._interrupted(file, Interrupted(error))

    def _hash(self, line: Line) -> None:
        buffer = memoryview(bytearray(BLOCK_BYTES))
        has_failed: set[str] = set()
        while not line.is_cut:
            moved = 0
            for file in self._files:
                while (size_bytes := file.hash_some(buffer)) and not self._is_stopped:
                    moved += size_bytes
                if file.is_checked or file.hashed_bytes < file.remote.size or file.must_restart:
                    continue
                try:
                    file.check()
                except HashMismatch as error:
                    # A bit may have turned on the way: once more from the start, no oftener.
                    if file.remote.path in has_failed:
                        raise FileFailed(file.remote.path, error) from error
                    has_failed.add(file.remote.path)
                    file.must_restart = True
                with self._changed:
                    self._changed.notify_all()
            if not moved:
                with self._changed:
                    self._changed.wait(LOOK_S)

    def _sync(self, line: Line) -> None:
        synced_at = noted_at = time.monotonic()
        while not line.is_cut:
            now = time.monotonic()
            is_due = now - synced_at >= SYNC_S
            for file in self._files:
                if not file.is_sealed and (is_due or file.is_checked):
                    file.sync()
                elif now - noted_at >= LOOK_S:
                    file.note()
            noted_at = now if now - noted_at >= LOOK_S else noted_at
            synced_at = now if is_due else synced_at
            if all(file.is_sealed for file in self._files):
                self._end()
                return
            with self._changed:
                if not any(file.is_checked and not file.is_sealed for file in self._files):
                    self._changed.wait(LOOK_S)
