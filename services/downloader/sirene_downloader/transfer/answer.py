"""What an answer's head says of its body, before a byte of it is believed. No I/O."""

import re
from typing import NamedTuple

from multidict import CIMultiDictProxy

from sirene_downloader.remote import RemoteFile
from sirene_downloader.request import Interrupted
from sirene_shared.errors import HubUnavailable, SizeMismatch

RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
PAGES = ("text/html", "application/xhtml+xml")


class Anew(Exception):
    """What is here cannot be continued: the file begins again."""

    def __init__(self, error: SizeMismatch) -> None:
        super().__init__(error.message)
        self.error = error


class Body(NamedTuple):
    start: int
    end: int
    is_whole_file: bool
    """The range was ignored, or the file is another one now."""


def body_of(
    remote: RemoteFile,
    span: tuple[int, int],
    status: int,
    headers: CIMultiDictProxy[str],
    length: int | None,
    *,
    etag: str,
) -> Body:
    """span: what was asked for; etag: of the bytes that are here, "" when nothing is.

    Raises: Anew, Interrupted, SizeMismatch, HubUnavailable.
    """
    start, end = span
    if status == 416:
        raise Anew(size_mismatch(remote, "is shorter on the hub than what is here"))
    if headers.get("Content-Encoding", "identity") != "identity":
        raise SizeMismatch(
            f"the hub sends {remote.path!r} compressed, which was not asked for",
            hint="A proxy in between alters what it passes on.",
        )
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in PAGES and not remote.path.endswith((".html", ".htm")):
        raise HubUnavailable(
            f"a web page came instead of {remote.path!r}",
            hint="A login page or a proxy stands between: open the hub in a browser.",
        )
    if status != 206:
        if length is not None and length != remote.size:
            raise size_mismatch(remote, f"has {length} bytes on the hub")
        return Body(0, remote.size, is_whole_file=True)
    match = RANGE.fullmatch(headers.get("Content-Range", ""))
    if match is None or int(match[1]) != start:
        raise Anew(size_mismatch(remote, "came from another place than asked for"))
    announced = int(match[2]) + 1
    if match[3] != "*" and int(match[3]) != remote.size:
        raise size_mismatch(remote, f"has {match[3]} bytes on the hub")
    if announced > remote.size:
        raise size_mismatch(remote, f"has {announced} bytes on the hub")
    if announced <= start or (length is not None and length != announced - start):
        raise Interrupted(size_mismatch(remote, "came with a length that contradicts itself"))
    theirs = headers.get("ETag", "")
    if etag and theirs and theirs != etag:
        raise Anew(size_mismatch(remote, "is another file on the hub now"))
    return Body(start, min(end, announced), is_whole_file=False)


def size_mismatch(remote: RemoteFile, what: str) -> SizeMismatch:
    return SizeMismatch(
        f"{remote.path!r} {what}; it should have {remote.size} bytes",
        hint="The hub has another version than the manifest, or a proxy alters it.",
    )
