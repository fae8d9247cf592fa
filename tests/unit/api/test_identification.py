"""Which model files belong to."""

import json

from sirene_api.identification import Brought, identify
from sirene_shared.manifest import Catalogue, parse

HASH = "ab" * 32


def catalogue() -> Catalogue:
    piper = {
        "name": "piper",
        "description": "voices",
        "backend": "piper",
        "license": "MIT",
        "variants": {
            voice: {
                "url": "https://hub.example/",
                "files": [
                    {"path": "model.onnx", "source": f"fr/{voice}.onnx", "size": size},
                    {"path": "model.onnx.json", "source": f"fr/{voice}.onnx.json", "size": 4875},
                ],
            }
            for voice, size in (("fr_FR-siwis-medium", 63_201_294), ("fr_FR-siwis-low", 28_000_000))
        },
        "defaults": {"variant": "fr_FR-siwis-medium"},
    }
    qwen = piper | {
        "name": "qwen",
        "variants": {
            "0.6B": {
                "url": "https://hub.example/",
                "files": ["config.json", "speech_tokenizer/config.json", "model.safetensors"],
            }
        },
        "defaults": {"variant": "0.6B"},
    }
    kokoro = piper | {
        "name": "kokoro",
        "variants": {
            "v1.0": {
                "url": "https://hub.example/",
                "files": [{"path": "model.onnx", "size": 9, "sha256": HASH}],
            }
        },
        "defaults": {"variant": "v1.0"},
    }
    manifests = {each["name"]: each for each in (piper, qwen, kokoro)}
    return Catalogue({n: parse(json.dumps(m).encode(), n) for n, m in manifests.items()})


def brought(**sizes: int) -> list[Brought]:
    return [Brought(name=name, size_bytes=size) for name, size in sizes.items()]


def test_a_piper_pair_is_found_by_the_names_that_its_origin_gives() -> None:
    pair = {"fr_FR-siwis-medium.onnx": 63_201_294, "fr_FR-siwis-medium.onnx.json": 4875}
    found = identify(catalogue().models(), brought(**pair))
    (model,) = found.models
    assert model.id == "piper:fr_FR-siwis-medium"
    assert model.is_complete
    assert {file.name: file.path for file in model.files} == {
        "fr_FR-siwis-medium.onnx": "model.onnx",
        "fr_FR-siwis-medium.onnx.json": "model.onnx.json",
    }
    assert all(file.is_certain for file in model.files)
    assert found.unknown == []


def test_names_that_many_models_have_are_told_apart_by_their_length() -> None:
    found = identify(catalogue().models(), brought(**{"model.onnx": 28_000_000}))
    (model,) = found.models
    assert model.id == "piper:fr_FR-siwis-low"
    assert model.missing == ["model.onnx.json"]


def test_a_hash_settles_it_whatever_the_name() -> None:
    file = Brought(name="download(1)", size_bytes=9, sha256=HASH.upper())
    (model,) = identify(catalogue().models(), [file]).models
    assert model.id == "kokoro:v1.0"
    other = Brought(name="model.onnx", size_bytes=9, sha256="cd" * 32)
    assert not identify(catalogue().models(), [other]).models


def test_files_of_one_name_in_folders_are_told_apart() -> None:
    names = {"q/config.json": 1, "q/speech_tokenizer/config.json": 2, "q/model.safetensors": 3}
    (model,) = identify(catalogue().models(), brought(**names)).models
    assert {file.name: file.path for file in model.files} == {
        "q/config.json": "config.json",
        "q/speech_tokenizer/config.json": "speech_tokenizer/config.json",
        "q/model.safetensors": "model.safetensors",
    }
    assert not any(file.is_certain for file in model.files)


def test_a_piper_voice_that_the_catalogue_lacks_is_said_to_be_one() -> None:
    found = identify(catalogue().models(), brought(**{"de_DE-karlsson-low.onnx": 5}))
    assert found.models == []
    assert found.unknown == ["de_DE-karlsson-low.onnx"]
    assert "'de_DE-karlsson-low' looks like a Piper voice" in found.hint
    assert "manifest" in found.hint


def test_what_fits_nothing_beside_what_does_is_named() -> None:
    pair = {"fr_FR-siwis-low.onnx": 28_000_000, "README.md": 7}
    found = identify(catalogue().models(), brought(**pair))
    assert [model.id for model in found.models] == ["piper:fr_FR-siwis-low"]
    assert found.unknown == ["README.md"]
    assert found.hint == ""
