"""What can go wrong with a request, and which requests it meets."""

import random
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec


class Fault(msgspec.Struct, kw_only=True):
    """What goes wrong with one file; every field is off by default.

    Where a byte of the file is named (`…_at`, `covering`), only answers whose range has that byte
    are met: so a script is the same for one connection and for many, in any order.
    """

    # Which requests.
    gets: bool = True
    heads: bool = False
    """HEAD requests too; else only the bytes are affected."""
    times: int | None = None
    """How often; None: for ever."""
    after: int = 0
    """Spare the first so many of the requests that it would meet."""
    covering: int | None = None

    # Instead of the answer.
    status: int | None = None
    redirect: str | None = None
    """Answer 302 to this place."""
    hops: int = 0
    """Answer so many redirects before the file comes."""
    silent: bool = False
    """Take the request and say nothing, until released."""
    reset: bool = False
    """Break the connection as soon as the request is in."""
    raw: bytes | None = None
    """Send these bytes, which need not be HTTP, and close."""

    # In the answer's head.
    headers: dict[str, str] = {}
    """Beside the right ones, or instead of them; an empty one is left out."""
    length: int | None = None
    """Announce this length and send as many bytes."""
    etag: str | None = None
    ignores_ranges: bool = False
    chunked: bool = False
    """Announce no length."""

    # In its body.
    drop_at: int | None = None
    """Break the connection after this many bytes of the file."""
    stall_at: int | None = None
    """Send the bytes before this one, then nothing more until released."""
    flip_at: int | None = None
    """Turn the bits of this byte."""
    shift: int = 0
    """Send bytes that lie so much later in the file, under the right headers."""
    endless: bool = False
    """Announce no length and never end."""
    html: bool = False
    """A web page of the right length, with status 200."""
    body: bytes | None = None
    """All of the body, whatever was asked for."""
    content: bytes | None = None
    """The file has this content now, and its own ETag."""
    gzip: bool = False
    rate_bytes_s: float | None = None
    chunk_bytes: int | None = None

    def take(self, method: str, asked: range) -> "Fault | None":
        """Itself, for a request that it meets."""
        if not (self.heads if method == "HEAD" else self.gets):
            return None
        named = (self.covering, self.drop_at, self.stall_at, self.flip_at)
        if method != "HEAD" and any(at is not None and at not in asked for at in named):
            return None
        if self.after:
            self.after -= 1
            return None
        if self.times == 0:
            return None
        if self.times is not None:
            self.times -= 1
        return self


class Misfortune(Protocol):
    """What a hub can be told to do to a file."""

    def take(self, method: str, asked: range) -> Fault | None: ...


class Storm:
    """Chance, the same for the same seed: each GET meets a fault or none."""

    def __init__(
        self,
        seed: int,
        makers: Sequence[Callable[[random.Random, range], Fault]],
        *,
        share: float,
        times: int,
    ) -> None:
        """share: of the requests that meet one, as long as there are `times` of them."""
        self._random = random.Random(seed)
        self._makers = makers
        self._share = share
        self._left = times

    def take(self, method: str, asked: range) -> Fault | None:
        if method != "GET" or not self._left or not asked or self._random.random() > self._share:
            return None
        self._left -= 1
        return self._random.choice(self._makers)(self._random, asked)
