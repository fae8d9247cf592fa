"""A file as its origin describes it: where it is, how long, and how it is recognised."""

import hashlib
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

Algorithm = Literal["sha256", "md5", "git-sha1"]


class Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


class Digest(msgspec.Struct, frozen=True):
    """What a file's content must hash to."""

    algorithm: Algorithm
    hex: str


def _git_blob(size: int) -> Hash:
    """git names a file by the sha1 of this header and the content, and so does the hub."""
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


# Each starts a hash for a file of so many bytes.
HASHES: dict[Algorithm, Callable[[int], Hash]] = {
    "sha256": lambda size: hashlib.sha256(),
    "md5": lambda size: hashlib.md5(usedforsecurity=False),
    "git-sha1": _git_blob,
}


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    """Where it will lie, under the variant's directory."""
    url: str
    """Pinned to a commit where the origin has commits."""
    fallbacks: tuple[str, ...] = ()
    """Where else it lies, to be asked in order when `url` fails."""
    size: int
    digests: tuple[Digest, ...] = ()
    """Every one must fit. None at all: nobody says, and only the length can be checked."""
    commit: str = ""
