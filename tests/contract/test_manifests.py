"""The catalogue: the documented example loads, every file of ours is valid, wrong ones are told."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from sirene_shared.errors import InvalidManifest, InvalidRequest, ModelNotFound, VariantNotFound
from sirene_shared.manifest import Catalogue, Manifest, load_catalogue, parse
from sirene_shared.settings import repository_folder

MANIFESTS = repository_folder("manifests")
DOCUMENTED = b"""
{ "name": "qwen3-tts", "description": "Qwen3-TTS by Alibaba", "backend": "qwen",
  "license": "Apache-2.0",
  "variants": { "1.7B": { "files": ["model.safetensors", "config.json", "tokenizer.json"],
                          "url": "https://huggingface.co/Qwen/Qwen3-TTS/resolve/main/",
                          "size": 3400000000 },
                "0.6B": { "files": ["model.safetensors", "config.json", "tokenizer.json"],
                          "url": "https://huggingface.co/Qwen/Qwen3-TTS/resolve/main/",
                          "size": 1200000000 } },
  "defaults": { "variant": "1.7B", "sample_rate": 24000 } }
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(MANIFESTS)


def test_the_documented_example_loads_unchanged() -> None:
    manifest = parse(DOCUMENTED, "qwen3-tts")
    assert manifest.variants["1.7B"].size_bytes == 3_400_000_000
    assert manifest.variants["0.6B"].file_list[0].path == "model.safetensors"


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_manifest_is_valid_and_named_like_its_file(path: Path) -> None:
    assert parse(path.read_bytes(), path.stem).name == path.stem


def test_the_four_families_are_in_the_catalogue(catalogue: Catalogue) -> None:
    backends = {manifest.backend for manifest in catalogue.values()}
    assert backends == {"kokoro", "qwen", "f5tts", "piper"}
    for model_id in (
        "piper:fr_FR-siwis-medium",
        "piper:en_US-lessac-medium",
        "qwen3-tts:1.7B",
        "qwen3-tts:0.6B",
        "kokoro:v1.0",
        "f5tts:default",
    ):
        assert catalogue.find(model_id).ref.id == model_id


def test_every_preset_variant_names_its_voices(catalogue: Catalogue) -> None:
    for model in catalogue.models():
        assert bool(model.variant.voices) == ("preset" in model.variant.capabilities), model.ref


def test_a_piper_voice_lies_where_the_documented_layout_says(catalogue: Catalogue) -> None:
    files = catalogue.find("piper:fr_FR-siwis-medium").variant.file_list
    assert [file.path for file in files] == ["model.onnx", "model.onnx.json"]
    assert files[0].source == "fr/fr_FR/siwis/medium/fr_FR-siwis-medium.onnx"


def changed(**fields: Any) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(DOCUMENTED) | fields)


def variant(**fields: Any) -> dict[str, Any]:
    return {"1.7B": {"files": ["model.onnx"], "url": "https://h/x/", "size": 1} | fields}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "truncated"),
        (changed(nmae="x"), "nmae"),
        (changed(name="other"), "its file's"),
        (changed(defaults={"variant": "2B"}), "2B"),
        (changed(variants={}), "length"),
        (changed(variants=variant(files=[])), "length"),
        (changed(variants=variant(files=["../x"])), "../x"),
        (changed(variants=variant(files=["a\\b"])), "plain"),
        (changed(variants=variant(files=["a", "A"])), "two files"),
        (changed(variants=variant(files=["a", "a/b"])), "a file and a folder"),
        (changed(variants=variant(files=[".sirene.json"])), "plain"),
        (changed(variants=variant(files=[{"path": "a", "sha256": "00"}])), "sha256"),
        (changed(variants=variant(files=[{"path": "a", "source": "file:///x"}])), "https"),
        (changed(variants=variant(files=[{"path": "a", "source": "../x"}])), "../x"),
        (changed(variants=variant(size=-1)), "size"),
        (changed(variants=variant(url="ftp://h/")), "url"),
        (changed(variants=variant() | {"v1..0": variant()["1.7B"]}), "v1..0"),
        (changed(variants=variant() | {"1.7b": variant()["1.7B"]}), "case"),
        (changed(backend="../evil"), "backend"),
    ],
)
def test_a_wrong_manifest_is_refused_with_what_is_wrong(body: bytes, named: str) -> None:
    with pytest.raises(InvalidManifest, match="qwen3-tts") as caught:
        parse(body, "qwen3-tts")
    assert named in caught.value.message


def test_a_model_is_found_by_name_by_id_and_by_name_with_a_variant(catalogue: Catalogue) -> None:
    assert catalogue.find("qwen3-tts").ref.variant == "1.7B"
    assert catalogue.find("qwen3-tts:0.6B").ref.variant == "0.6B"
    assert catalogue.find("qwen3-tts", "0.6B").ref.variant == "0.6B"


def test_what_is_not_in_the_catalogue_is_said_to_be_unknown(catalogue: Catalogue) -> None:
    with pytest.raises(ModelNotFound):
        catalogue.find("nobody")
    with pytest.raises(VariantNotFound, match="70B") as caught:
        catalogue.find("qwen3-tts:70B")
    assert "0.6B" in caught.value.hint
    with pytest.raises(InvalidRequest):
        catalogue.find("../etc/passwd")


def test_a_change_of_what_lies_on_the_volume_changes_the_digest() -> None:
    def digest(body: bytes) -> str:
        manifest = parse(body, "qwen3-tts")
        return Catalogue({manifest.name: manifest}).find("qwen3-tts").digest

    assert digest(DOCUMENTED) == digest(changed(description="another text"))
    assert digest(DOCUMENTED) != digest(changed(variants=variant()))


def test_a_manifest_keeps_everything_when_written_again() -> None:
    manifest = parse(DOCUMENTED, "qwen3-tts")
    assert msgspec.json.decode(msgspec.json.encode(manifest), type=Manifest) == manifest
