"""What is read from the headers of an answer."""

import base64
import hashlib

import pytest
from multidict import CIMultiDict

from sirene_downloader.described import Described, by_headers
from sirene_downloader.remote import Digest

SHA256 = hashlib.sha256(b"voice")
TOLD = base64.b64encode(SHA256.digest()).decode()
DIGEST = Digest("sha256", SHA256.hexdigest())
COMMIT = "c" * 40


def described(headers: dict[str, str], status: int = 200, **about: str) -> Described:
    hub = CIMultiDict({f"X-{name.replace('_', '-')}": value for name, value in about.items()})
    return by_headers(status, CIMultiDict({"Content-Length": "5"} | headers), hub)


@pytest.mark.parametrize(
    "headers",
    [
        {"Repr-Digest": f"sha-256=:{TOLD}:"},
        {"Repr-Digest": f"sha-512=:AAAA:, sha-256=:{TOLD}:"},
        {"repr-digest": f"SHA-256=:{TOLD}:"},
        {"Digest": f"SHA-256={TOLD}"},
        {"Digest": f"md5=AAAA, sha-256={TOLD}"},
        {"x-amz-checksum-sha256": TOLD},
        {"x-amz-checksum-sha256": TOLD, "x-amz-checksum-type": "FULL_OBJECT"},
    ],
)
def test_a_plain_server_may_tell_the_sha256(headers: dict[str, str]) -> None:
    assert described(headers) == Described(5, DIGEST)


@pytest.mark.parametrize(
    "headers",
    [
        {"Repr-Digest": f"sha-512=:{TOLD}:"},
        {"Repr-Digest": "sha-256=:AAAA:"},
        {"Repr-Digest": f"sha-256=:{TOLD[:-2]}==:"},
        {"Digest": "sha-256=" + "!" * 44},
        {"Content-MD5": "AAAA"},
        {"x-amz-checksum-sha256": f"{TOLD}-7"},
        {"x-amz-checksum-sha256": TOLD, "x-amz-checksum-type": "COMPOSITE"},
        # Of a plain server it may be anything.
        {"ETag": f'"{SHA256.hexdigest()}"'},
    ],
)
def test_what_is_no_sha256_of_the_whole_file_is_not_taken_for_one(headers: dict[str, str]) -> None:
    assert described(headers) == Described(5, None)


def test_the_hub_names_a_content_by_its_hash() -> None:
    large = described({}, Linked_Etag=f'"{DIGEST.hex}"', Linked_Size="77", Repo_Commit=COMMIT)
    assert large == Described(77, DIGEST, COMMIT)
    small = described({"ETag": f'W/"{"a" * 40}"'}, Repo_Commit=COMMIT)
    assert small == Described(5, Digest("git-sha1", "a" * 40), COMMIT)


@pytest.mark.parametrize(
    ("status", "headers", "size"),
    [
        (200, {}, 5),
        (200, {"Content-Length": ""}, None),
        (200, {"Content-Length": "-5"}, None),
        (200, {"Content-Encoding": "gzip"}, None),
        (405, {}, None),
        (206, {"Content-Range": "bytes 0-0/77", "Content-Length": "1"}, 77),
        (206, {"Content-Range": "bytes 0-0/*", "Content-Length": "1"}, None),
        (416, {"Content-Range": "bytes */0"}, 0),
    ],
)
def test_the_length_is_that_of_the_whole_file(
    status: int, headers: dict[str, str], size: int | None
) -> None:
    assert described(headers, status).size == size
