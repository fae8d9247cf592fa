"""The origins that have a file, tried in order until one gives it."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from sirene_downloader.origins import Origin
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

# How often an origin is tried while there is another one.
HASTY_ATTEMPTS = 2
FAULTY = (HubUnavailable, HubRateLimited, SizeMismatch, HashMismatch, OriginRefused)
REFUSES = (HubUnauthorized, HubTokenRefused, HubForbidden)


class Sources:
    """For one pull: an origin that failed it is asked last for the files that follow."""

    def __init__(self, endpoint: str, limits: Limits) -> None:
        """endpoint: of the hub, whose refusal counts: no mirror is asked to go round it."""
        self._home = origin_of(endpoint)
        self._limits = limits
        self._faulty: set[str] = set()
        self._said: set[tuple[str, str]] = set()

    async def first(self, urls: Sequence[str], attempt: Attempt[T]) -> T:
        """What the first origin gives that can; attempt: gets the address, how patient to be, and
        why the origin before it was left.

        Raises: what the last try of the only or of the first origin raised.
        """
        if len(urls) == 1:
            return await attempt(urls[0], self._limits, None)
        hasty = msgspec.structs.replace(
            self._limits, attempts=min(self._limits.attempts, HASTY_ATTEMPTS)
        )
        errors: dict[str, PullError] = {}
        previous: PullError | None = None
        for url in sorted(urls, key=lambda url: origin_of(url) in self._faulty):
            try:
                return await attempt(url, hasty, previous)
            except PullError as error:
                if not self._is_left_for(origin_of(url), error):
                    raise
                self._leave(origin_of(url), error)
                errors[url] = previous = error
        again = next((url for url in urls if url in errors and errors[url].retryable), None)
        if again is not None:
            return await attempt(again, self._limits, previous)
        raise errors[urls[0]]

    def _is_left_for(self, origin: str, error: PullError) -> bool:
        return isinstance(error, (HubFileMissing, *FAULTY)) or (
            isinstance(error, REFUSES) and origin != self._home
        )

    def _leave(self, origin: str, error: PullError) -> None:
        if isinstance(error, FAULTY):
            self._faulty.add(origin)
        if (origin, error.code) not in self._said:
            self._said.add((origin, error.code))
            log.warning("%s is left for the next origin: %s", origin, error.message)


def origin_of(url: str) -> str:
    """Scheme, host and port; empty for what is no plain URL."""
    try:
        origin = Origin.of(url)
    except OriginRefused:
        return ""
    return f"{origin.scheme}://{origin.host}:{origin.port}"
