"""A hub's list of files, good and hostile."""

import json
import tracemalloc

import pytest

from sirene_downloader import listing
from sirene_downloader.described import Described
from sirene_downloader.remote import Digest
from sirene_shared.errors import HubUnavailable

COMMIT = "c" * 40


def body(*siblings: dict[str, object], **more: object) -> bytes:
    return json.dumps({"sha": COMMIT, "siblings": siblings} | more).encode()


def test_a_listing_tells_commit_sizes_and_hashes() -> None:
    found = listing.parse(
        body(
            {"rfilename": "a.txt", "size": 3, "blobId": "a" * 40},
            {
                "rfilename": "b.onnx",
                "size": 9,
                "blobId": "b" * 40,
                "lfs": {"sha256": "d" * 64, "size": 9, "pointerSize": 1},
            },
            {"rfilename": "c", "new": {"x": [1]}},
            gated="manual",
            tags=["x"],
        ),
        "acme/voices",
    )
    assert found.commit == COMMIT
    assert found.gated
    assert found.files == {
        "a.txt": Described(3, Digest("git-sha1", "a" * 40)),
        "b.onnx": Described(9, Digest("sha256", "d" * 64)),
        "c": Described(None, None),
    }
    assert not listing.parse(body(gated=False), "x").gated


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"<html></html>",
        b'{"siblings": []}',
        b'{"sha": "main"}',
        b'{"sha": null}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"sha": "%s", "siblings": %s' % (COMMIT.encode(), b"[" * 100_000),
        body({"size": 1}),
        body({"rfilename": "a", "size": "1"}),
        body({"rfilename": "a", "size": 1e400}),
    ],
)
def test_what_is_no_listing_is_refused(text: bytes) -> None:
    with pytest.raises(HubUnavailable):
        listing.parse(text, "acme/voices")


@pytest.mark.parametrize(
    "text",
    [
        b'{"sha":"%s","siblings":[%s{"rfilename":"z"}]}'
        % (COMMIT.encode(), b'{"rfilename":"a"},' * 1_000_000),
        b'{"sha":"%s","siblings":[%s{"rfilename":"z"}]}'
        % (COMMIT.encode(), b'{"rfilename":"a"},' * (listing.MAX_OBJECTS - 10)),
        b'{"sha":"%s","x":[%s1]}' % (COMMIT.encode(), b"1," * 4_000_000),
    ],
    ids=["a million entries", "as many as may be", "a field that is not ours"],
)
def test_no_listing_takes_much_memory(text: bytes) -> None:
    tracemalloc.start()
    try:
        listing.parse(text, "acme/voices")
    except HubUnavailable:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 24 << 20
