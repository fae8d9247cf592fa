"""When the memory that speeches took is given back.

What an engine took for one it keeps for the next, which is up to a fifth faster for it. So it is
given back once nothing was spoken for a while, and now and then where something always is.
"""

import ctypes
import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

log = logging.getLogger(__name__)

QUIET_S, BUSY_S = 5.0, 60.0


def trim() -> None:
    """What is free in this process goes back to the system, where it is glibc's to say."""
    if sys.platform == "linux":
        # musl, which has no such call, gives it back by itself.
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


class Timer(Protocol):
    daemon: bool

    def start(self) -> None: ...

    def cancel(self) -> None: ...


class Leftovers:
    """begins() and ends() are called around each speech, by any thread."""

    def __init__(
        self,
        give_back: Callable[[], None],
        *,
        now: Callable[[], float] = time.monotonic,
        timer: Callable[[float, Callable[[], None]], Timer] = threading.Timer,
    ) -> None:
        """give_back: called in a thread of its own, also while somebody speaks."""
        self._give_back = give_back
        self._now = now
        self._timer = timer
        self._alone = threading.Lock()
        self._speaking = 0
        self._growing_since = now()
        self._due: Timer | None = None

    def begins(self) -> None:
        with self._alone:
            if not self._speaking and self._due is None:
                self._growing_since = self._now()
            self._speaking += 1
            self._put_off()

    def ends(self) -> None:
        with self._alone:
            self._speaking -= 1
            if self._now() - self._growing_since > BUSY_S:
                self._let_be_due(0)
            elif not self._speaking:
                self._let_be_due(QUIET_S)

    def _let_be_due(self, after_s: float) -> None:
        self._put_off()
        self._due = self._timer(after_s, self._fall_due)
        self._due.daemon = True
        self._due.start()

    def _put_off(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _fall_due(self) -> None:
        with self._alone:
            self._growing_since, self._due = self._now(), None
        try:
            self._give_back()
        except Exception:
            log.exception("the memory that speeches took could not be given back")
