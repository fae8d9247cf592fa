"""An entry of a bucket with its revision, whatever has happened to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import APIError, BucketNotFoundError, KeyNotFoundError, NoKeysError

from sirene_shared import bus
from sirene_shared.errors import BusUnavailable
from sirene_shared.subjects import Bucket

# What a write that names a revision is told when that is not the current one.
WRONG_LAST = frozenset({10071, 10164})


class Entry(NamedTuple):
    """value: None when the key is not there; revision: what a write must name to be the next."""

    value: bytes | None
    revision: int


@contextmanager
def bus_errors(what: str) -> Iterator[None]:
    """Everything that means "the bus does not answer now" as BusUnavailable."""
    try:
        yield
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise BusUnavailable(f"{what}: the bus does not answer") from error


async def read(js: JetStreamContext, bucket: Bucket, key: str) -> Entry:
    """Raises: BusUnavailable."""
    with bus_errors(f"reading the state of {key!r}"):
        try:
            found = await (await bus.open_bucket(js, bucket)).get(key)
        except KeyNotFoundError as error:
            # A deleted key has a revision still; one that never was has none.
            return Entry(None, getattr(error.entry, "revision", None) or 0)
        # The marker of an entry whose time to live is over has no value.
        return Entry(found.value or None, found.revision or 0)


async def keys(js: JetStreamContext, bucket: Bucket) -> list[str]:
    """Raises: BusUnavailable."""
    with bus_errors(f"listing {bucket.name}"):
        try:
            return await (await bus.open_bucket(js, bucket)).keys()
        except (NoKeysError, BucketNotFoundError):
            return []


async def remove(js: JetStreamContext, bucket: Bucket, key: str, revision: int) -> bool:
    """Remove the entry if `revision` is still the current one; False when it is not.

    Raises: BusUnavailable.
    """
    with bus_errors(f"removing {key!r}"):
        try:
            await (await bus.open_bucket(js, bucket)).delete(key, last=revision)
        except APIError as error:
            if error.code != 400:
                raise
            return False
    return True
