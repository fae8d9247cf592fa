"""What one thread waits on, and how another one ends the wait: a socket cut in two."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Stopped(Exception):
    """The transfer is no longer wanted."""


class Line:
    """Of one thread. cut() is for the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._deadline: float | None = None
        self.is_reaching_out = False
        """While it looks up a name or connects, which nobody can end; it holds nothing then."""

    @property
    def is_cut(self) -> bool:
        return self._is_cut

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What is read in it takes no longer: look() breaks it."""
        self._deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            with self._lock:
                self._deadline = None

    def look(self, now: float) -> None:
        """Break what takes too long; call it some times a second."""
        with self._lock:
            if self._deadline is not None and now > self._deadline:
                self._break()

    def reach_out(self) -> None:
        with self._lock:
            self._check()
            self.is_reaching_out = True

    def reached(self, connected: socket.socket | None) -> None:
        """Raises: Stopped."""
        with self._lock:
            self.is_reaching_out = False
            self._check()
            self._socket = connected

    def hold(self, connected: socket.socket | None) -> None:
        """This is the socket now. Raises: Stopped."""
        with self._lock:
            self._check()
            self._socket = connected

    def let_go(self) -> None:
        with self._lock:
            self._socket = None

    def cut(self) -> None:
        """For ever: whoever reads on it comes back at once."""
        with self._lock:
            self._is_cut = True
            self._break()

    def interrupt(self) -> None:
        """Break what is being read now; the line may be used again."""
        with self._lock:
            self._break()

    def _break(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # On the plain socket, also beneath TLS: a TLS goodbye would wait for an answer.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _check(self) -> None:
        if self._is_cut:
            raise Stopped
