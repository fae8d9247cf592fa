"""How a request that nobody listens to any more ends the work that is done for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Set from another thread when nobody listens any more."""

    def __init__(self, looked: Callable[[], None] = lambda: None) -> None:
        """looked: called when somebody asks whether it is set, and so has come a step further."""
        self._looked = looked
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []

    def set(self) -> None:
        with self._lock:
            self._set.set()
            for stop in self._stops:
                stop()

    def is_set(self) -> bool:
        self._looked()
        return self._set.is_set()

    @contextmanager
    def stops(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop`, from another thread, when this is set before the block ends."""
        with self._lock:
            self._stops.append(stop)
            if self._set.is_set():
                stop()
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)
