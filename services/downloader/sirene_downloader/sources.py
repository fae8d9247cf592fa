"""The origins that have a file, tried in order until one gives it."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from sirene_downloader.origins import Origin
from sirene_downloader.remote import RemoteFile
from sirene_downloader.settings import Limits
from sirene_shared.errors import (
    HashMismatch,
    HubFileMissing,
    HubForbidden,
    HubRateLimited,
    HubTokenRefused,
    HubUnauthorized,
    HubUnavailable,
    OriginRefused,
    PullError,
    SizeMismatch,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
Attempt = Callable[[str, Limits, PullError | None], Awaitable[T]]
AttemptAll = Callable[[Sequence[RemoteFile], Limits, frozenset[str]], Awaitable[T]]

# How often an origin is tried while there is another one.
HASTY_ATTEMPTS = 2
FAULTY = (HubUnavailable, HubRateLimited, SizeMismatch, HashMismatch, OriginRefused)
REFUSES = (HubUnauthorized, HubTokenRefused, HubForbidden)


class FileFailed(Exception):
    """One file of several could not be had where it was looked for."""

    def __init__(self, path: str, error: PullError) -> None:
        super().__init__(error.message)
        self.path = path
        self.error = error


class Sources:
    """For one pull: an origin that failed it is asked last for the files that follow."""

    def __init__(self, endpoint: str, limits: Limits) -> None:
        """endpoint: of the hub, whose refusal counts: no mirror is asked to go round it."""
        self._home = origin_of(endpoint)
        self._faulty: set[str] = set()
        self._said: set[tuple[str, str]] = set()
        self.patient = limits
        self.hasty = msgspec.structs.replace(limits, attempts=min(limits.attempts, HASTY_ATTEMPTS))

    def way(self, urls: Sequence[str]) -> "Way":
        """Through the origins of one file."""
        return Way(self, urls)

    async def first(self, urls: Sequence[str], attempt: Attempt[T]) -> T:
        """What the first origin gives that can; attempt: gets the address, how patient to be, and
        why the origin before it was left.

        Raises: what Way.after() does.
        """
        way = self.way(urls)
        while True:
            url = way.url
            try:
                return await attempt(url, way.limits, way.left)
            except PullError as error:
                way.after(url, error)

    async def all(self, files: Sequence[RemoteFile], attempt: AttemptAll[T]) -> T:
        """What `attempt` gives, called with each file at one of its origins, how patient to be, and
        the paths of the files whose bytes so far are wrong; again after each FileFailed.

        Raises: what Way.after() does.
        """
        ways = {file.path: self.way((file.url, *file.fallbacks)) for file in files}
        wrong: set[str] = set()
        while True:
            at = {path: way.url for path, way in ways.items()}
            here = [msgspec.structs.replace(file, url=at[file.path]) for file in files]
            is_last = any(way.limits is self.patient for way in ways.values())
            limits = self.patient if is_last else self.hasty
            try:
                return await attempt(here, limits, frozenset(wrong))
            except FileFailed as failed:
                ways[failed.path].after(at[failed.path], failed.error)
                wrong.clear()
                if isinstance(failed.error, HashMismatch | SizeMismatch):
                    wrong.add(failed.path)

    def is_faulty(self, url: str) -> bool:
        return origin_of(url) in self._faulty

    def is_left_for(self, url: str, error: PullError) -> bool:
        return isinstance(error, (HubFileMissing, *FAULTY)) or (
            isinstance(error, REFUSES) and origin_of(url) != self._home
        )

    def leave(self, url: str, error: PullError) -> None:
        origin = origin_of(url)
        if isinstance(error, FAULTY):
            self._faulty.add(origin)
        if (origin, error.code) not in self._said:
            self._said.add((origin, error.code))
            log.warning("%s is left for the next origin: %s", origin, error.message)


class Way:
    """Of one file: `url` now, with `limits`; after() an error, the next one."""

    def __init__(self, sources: Sources, urls: Sequence[str]) -> None:
        self._sources = sources
        self._urls = tuple(urls)
        self._errors: dict[str, PullError] = {}
        self._last = urls[0] if len(urls) == 1 else ""
        self.left: PullError | None = None
        """Why the origin before this one was left."""

    @property
    def url(self) -> str:
        pending = [url for url in self._urls if url not in self._errors]
        return self._last or min(pending, key=self._sources.is_faulty)

    @property
    def limits(self) -> Limits:
        """All the patience for an origin that nothing comes after."""
        return self._sources.patient if self._last else self._sources.hasty

    def after(self, url: str, error: PullError) -> None:
        """Go on to the next origin; at last once more to one that may be back.

        Raises: `error` when it is final, or the last; else the first origin's.
        """
        if self._last or not self._sources.is_left_for(url, error):
            raise error
        self._sources.leave(url, error)
        self.left = self._errors[url] = error
        if len(self._errors) < len(self._urls):
            return
        again = (each for each in self._urls if self._errors[each].retryable)
        self._last = next(again, "")
        if not self._last:
            raise self._errors[self._urls[0]]


def origin_of(url: str) -> str:
    """Scheme, host and port; empty for what is no plain URL."""
    try:
        origin = Origin.of(url)
    except OriginRefused:
        return ""
    return f"{origin.scheme}://{origin.host}:{origin.port}"
