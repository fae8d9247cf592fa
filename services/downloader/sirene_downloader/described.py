"""What an origin says of a file, in its listing or in the headers of an answer."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple

from sirene_downloader.places import COMMIT
from sirene_downloader.remote import Digest
from sirene_downloader.request import LINKED_SIZE
from sirene_shared.errors import HashMismatch, SizeMismatch
from sirene_shared.manifest import ManifestFile

SHA256 = re.compile(r"[0-9a-f]{64}")
# RFC 9530 wraps the bytes in colons, RFC 3230 did not; both name the algorithm first.
DIGEST_FIELD = re.compile(r"(?i:sha-256)=:?([A-Za-z0-9+/]{43}=):?")
TOTAL = re.compile(r"bytes (?:\d+-\d+|\*)/(\d+)")


class Described(NamedTuple):
    size: int | None
    digest: Digest | None
    commit: str = ""


def by_headers(
    status: int, headers: Mapping[str, str], about: Mapping[str, str] | None = None
) -> Described:
    """about: what the hub said on the way, before it sent us on."""
    about = about or {}
    commit = about.get("X-Repo-Commit", "")
    linked = about.get("X-Linked-Etag", "")
    etag = linked or headers.get("ETag", "")
    # Elsewhere an ETag that looks like a hash may be anything.
    named = etag.removeprefix("W/").strip('"') if linked or commit else ""
    return Described(
        _size(status, headers, about.get(LINKED_SIZE, "")),
        named_digest(named, in_git=bool(commit)) or _stated_digest(headers),
        commit if COMMIT.fullmatch(commit) else "",
    )


def _size(status: int, headers: Mapping[str, str], linked: str) -> int | None:
    if linked.isdecimal():
        return int(linked)
    if status == 206 or status == 416:
        total = TOTAL.fullmatch(headers.get("Content-Range", ""))
        return int(total[1]) if total else None
    if status != 200 or headers.get("Content-Encoding", "identity") != "identity":
        return None
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _stated_digest(headers: Mapping[str, str]) -> Digest | None:
    """The sha256 of the whole file, as plain HTTP servers and object stores tell it."""
    for name in ("Repr-Digest", "Digest"):
        for entry in headers.get(name, "").split(","):
            match = DIGEST_FIELD.fullmatch(entry.strip())
            if match:
                return _from_base64(match[1])
    # Of a file that was stored in parts it is a hash of hashes, marked so or with their number.
    whole = headers.get("x-amz-checksum-type", "FULL_OBJECT").upper() == "FULL_OBJECT"
    return _from_base64(headers.get("x-amz-checksum-sha256", "")) if whole else None


def _from_base64(text: str) -> Digest | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return Digest("sha256", raw.hex()) if len(raw) == 32 else None


def named_digest(text: str, *, in_git: bool) -> Digest | None:
    """From the name that the hub gives to a content."""
    if SHA256.fullmatch(text):
        return Digest("sha256", text)
    return Digest("git-sha1", text) if in_git and COMMIT.fullmatch(text) else None


def digests_of(file: ManifestFile, described: Described) -> tuple[Digest, ...]:
    """The manifest's sha256 settles it; an md5 does not, and so the hub's word counts beside it."""
    if file.sha256:
        return (Digest("sha256", file.sha256),)
    manifest = Digest("md5", file.md5) if file.md5 else None
    return tuple(each for each in (manifest, described.digest) if each is not None)


def compare(file: ManifestFile, described: Described) -> None:
    """Raises: SizeMismatch, HashMismatch before a byte is fetched in vain."""
    hint = "The hub has another version than the manifest: update Sirene or the manifest."
    if None not in (file.size, described.size) and file.size != described.size:
        raise SizeMismatch(
            f"{file.path!r} has {described.size} bytes on the hub, not {file.size}", hint=hint
        )
    theirs = described.digest
    if file.sha256 and theirs and theirs.algorithm == "sha256" and theirs.hex != file.sha256:
        raise HashMismatch(f"{file.path!r} is another file on the hub", hint=hint)
