"""From what a manifest says to a place on the hub."""

import pytest

from sirene_downloader.hub import Described, Place, compare, digests_of, place_of
from sirene_downloader.remote import Digest
from sirene_shared.errors import HashMismatch, SizeMismatch
from sirene_shared.manifest import ManifestFile, Variant

MIRROR = "http://mirror.local:8080/hf"
COMMIT = "f" * 40


def variant(url: str, **more: str) -> Variant:
    return Variant(files=("model.onnx",), url=url, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "file", "place"),
    [
        (
            "https://huggingface.co/acme/voices/resolve/main/",
            ManifestFile(path="model.onnx", source="fr/siwis.onnx"),
            Place("acme/voices", "main", "fr/siwis.onnx"),
        ),
        (
            "https://huggingface.co/acme/voices/resolve/v1.0/fr",
            ManifestFile(path="model.onnx"),
            Place("acme/voices", "v1.0", "fr/model.onnx"),
        ),
        (
            f"{MIRROR}/acme/voices/resolve/refs%2Fpr%2F1/",
            ManifestFile(path="model.onnx", revision=COMMIT),
            Place("acme/voices", COMMIT, "model.onnx"),
        ),
        (
            "https://huggingface.co/gpt2/resolve/main/",
            ManifestFile(path="model.onnx"),
            Place("gpt2", "main", "model.onnx"),
        ),
        (
            "https://huggingface.co/acme/voices/resolve/main/",
            ManifestFile(path="codec.bin", repo="acme/codec"),
            Place("acme/codec", "main", "codec.bin"),
        ),
        ("https://example.org/voices/", ManifestFile(path="model.onnx"), None),
        ("https://huggingface.com/acme/x/resolve/main/", ManifestFile(path="model.onnx"), None),
        ("https://huggingface.co/acme/x/raw/main/", ManifestFile(path="model.onnx"), None),
    ],
)
def test_a_file_has_its_place_on_the_hub(url: str, file: ManifestFile, place: Place | None) -> None:
    assert place_of(variant(url), file, MIRROR) == place


def test_the_variants_revision_is_not_that_of_a_file_from_elsewhere() -> None:
    pinned = variant("https://huggingface.co/acme/voices/resolve/main/", revision=COMMIT)
    own = ManifestFile(path="model.onnx")
    foreign = ManifestFile(path="a", source="https://huggingface.co/acme/codec/resolve/v2/a")
    assert place_of(pinned, own, MIRROR) == Place("acme/voices", COMMIT, "model.onnx")
    assert place_of(pinned, foreign, MIRROR) == Place("acme/codec", "v2", "a")


def test_the_manifests_sha256_settles_it_and_an_md5_does_not() -> None:
    theirs = Described(10, Digest("sha256", "a" * 64))
    sha256 = ManifestFile(path="x", sha256="a" * 64)
    md5 = ManifestFile(path="x", md5="b" * 32)
    assert digests_of(sha256, theirs) == (Digest("sha256", "a" * 64),)
    assert digests_of(md5, theirs) == (Digest("md5", "b" * 32), Digest("sha256", "a" * 64))
    assert digests_of(ManifestFile(path="x"), Described(10, None)) == ()


def test_another_version_on_the_hub_is_seen_before_a_byte_is_fetched() -> None:
    theirs = Described(10, Digest("sha256", "a" * 64))
    compare(ManifestFile(path="x", size=10, sha256="a" * 64), theirs)
    with pytest.raises(SizeMismatch):
        compare(ManifestFile(path="x", size=11), theirs)
    with pytest.raises(HashMismatch):
        compare(ManifestFile(path="x", sha256="b" * 64), theirs)
