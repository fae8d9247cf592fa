"""How a cancel ends a long computation in its middle: what computes looks for it on the way.

A thread says whose cancel it heeds; each layer of a network then looks before it begins
(weights.py), so that on a CPU, where one pass can take many seconds, nobody waits for its end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from sirene_inference.cancellation import Cancellation

Piece = TypeVar("Piece")

_heeded: ContextVar[Cancellation | None] = ContextVar("heeded", default=None)


class Stopped(Exception):
    """Nobody wants the result any more."""


@contextmanager
def heeding(cancelled: Cancellation) -> Iterator[None]:
    """In this block look() raises Stopped once `cancelled` is set. Yield nothing inside of it."""
    before = _heeded.set(cancelled)
    try:
        yield
    finally:
        _heeded.reset(before)


def look() -> None:
    """Raises: Stopped."""
    if (cancelled := _heeded.get()) is not None and cancelled.is_set():
        raise Stopped


def until_cancelled(pieces: Iterator[Piece], cancelled: Cancellation) -> Iterator[Piece]:
    """The pieces, each made while its cancel is heeded; they end with it, without an error."""
    while True:
        try:
            with heeding(cancelled):
                piece = next(pieces)
        except (StopIteration, Stopped):
            return
        yield piece
