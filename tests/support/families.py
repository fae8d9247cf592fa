"""Small models of all four families behind a local hub, and the catalogue that lists them.

The manifests have the published form, with true sizes; so a page shows them as it shows real ones.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support import f5_model, kokoro_voice, piper_voice, qwen_model
from tests.support.hub import Hub

SIWIS = "piper:fr_FR-siwis-medium"
LESSAC = "piper:en_US-lessac-medium"
# Large enough to be watched as it arrives; it never speaks.
HEAVY = "piper:en_US-heavy-high"
GATED = "piper:en_GB-gated-low"
KOKORO = "kokoro:v1.0"
QWEN, QWEN_BASE, QWEN_DESIGN = "qwen3-tts:0.6B", "qwen3-tts:0.6B-Base", "qwen3-tts:1.7B-VoiceDesign"
F5 = "f5tts:default"

HEAVY_BYTES = 24_000_000
REPO_OF_PIPER, REPO_OF_GATED = "rhasspy/piper-voices", "rhasspy/piper-gated"

Variants = dict[str, dict[str, Any]]


def repo_of(model_id: str) -> str:
    if model_id == GATED:
        return REPO_OF_GATED
    name, _, variant = model_id.partition(":")
    return REPO_OF_PIPER if name == "piper" else f"tests/{name}-{variant}"


def source_of(model_id: str, path: str = "model.onnx") -> str:
    """Where a file lies in its repository: the name for `Hub.fault` and `Hub.requests`."""
    name, _, variant = model_id.partition(":")
    return f"{variant}{path.removeprefix('model')}" if name == "piper" else path


def add_to(hub: Hub, folder: Path) -> Path:
    """Build every model in `folder`, put it on the hub; the folder of manifests."""
    manifests = folder / "manifests"
    manifests.mkdir()
    for manifest in (
        _piper(hub, folder),
        _kokoro(hub, folder),
        _qwen(hub, folder),
        _f5(hub, folder),
    ):
        (manifests / f"{manifest['name']}.json").write_text(json.dumps(manifest))
    return manifests


def _piper(hub: Hub, folder: Path) -> dict[str, Any]:
    variants: Variants = {}
    for model_id, espeak_voice, fields in (
        (SIWIS, "fr", {"license": "CC-BY-4.0", "voices": [{"id": "siwis", "name": "Siwis"}]}),
        (LESSAC, "en-us", {"license": "MIT", "voices": [{"id": "lessac", "name": "Lessac"}]}),
        (GATED, "en-gb", {"license": "MIT", "gated": True}),
    ):
        variant = model_id.partition(":")[2]
        # Bytes of its own: those of another model would not be asked of the hub.
        pad_bytes = int(model_id == GATED)
        path = piper_voice.build(
            folder / f"{variant}.onnx", espeak_voice=espeak_voice, pad_bytes=pad_bytes
        )
        files = {"model.onnx": path, "model.onnx.json": Path(f"{path}.json")}
        variants[variant] = _variant(hub, model_id, files) | fields
    heavy = {"model.onnx": random.Random(7).randbytes(HEAVY_BYTES), "model.onnx.json": b"{}"}
    variants[HEAVY.partition(":")[2]] = _variant(hub, HEAVY, heavy) | {"license": "CC0-1.0"}
    for variant, fields in variants.items():
        fields |= {"languages": [variant[:5].replace("_", "-")], "memory": 160_000_000}
    return {
        "name": "piper",
        "description": "Piper: small, fast voices that run on any CPU",
        "backend": "piper",
        "license": "per voice",
        "variants": variants,
        "defaults": {"variant": SIWIS.partition(":")[2], "sample_rate": piper_voice.SAMPLE_RATE},
    }


def _kokoro(hub: Hub, folder: Path) -> dict[str, Any]:
    built = kokoro_voice.build(folder / "kokoro")
    fields = {
        "languages": ["en-US", "fr", "ja"],
        "voices": [{"id": voice, "language": "en-US"} for voice in kokoro_voice.VOICES],
        "memory": 400_000_000,
    }
    return {
        "name": "kokoro",
        "description": "Kokoro-82M: an expressive voice model in nine languages",
        "backend": "kokoro",
        "license": "Apache-2.0",
        "variants": {"v1.0": _variant(hub, KOKORO, built) | fields},
        "defaults": {"variant": "v1.0", "sample_rate": kokoro_voice.SAMPLE_RATE},
    }


def _qwen(hub: Hub, folder: Path) -> dict[str, Any]:
    variants: Variants = {}
    languages = ["zh", "en", "ja", "ko", "de", "fr", "ru", "pt", "es", "it"]
    for model_id, kind, capability in (
        (QWEN, "custom_voice", "preset"),
        (QWEN_BASE, "base", "cloning"),
        (QWEN_DESIGN, "voice_design", "design"),
    ):
        variant = model_id.partition(":")[2]
        place = qwen_model.build(folder / variant, kind, small=variant.startswith("0.6B"))
        fields = {"capabilities": [capability], "languages": languages, "memory": 2_500_000_000}
        variants[variant] = _variant(hub, model_id, _files(place)) | fields
    speakers = json.loads((folder / "0.6B" / "config.json").read_text())["talker_config"]["spk_id"]
    variants["0.6B"]["voices"] = [{"id": name, "language": "en"} for name in speakers]
    return {
        "name": "qwen3-tts",
        "description": "Qwen3-TTS by Alibaba: preset voices, cloning and voice design",
        "backend": "qwen",
        "license": "Apache-2.0",
        "variants": variants,
        "defaults": {"variant": "0.6B", "sample_rate": 24000},
    }


def _f5(hub: Hub, folder: Path) -> dict[str, Any]:
    files = _files(f5_model.build(folder / "f5tts"))
    fields = {"capabilities": ["cloning"], "languages": ["en", "zh"], "memory": 2_000_000_000}
    return {
        "name": "f5tts",
        "description": "F5-TTS: clones a voice from a short clip and its transcript",
        "backend": "f5tts",
        "license": "CC-BY-NC-4.0",
        "variants": {"default": _variant(hub, F5, files) | fields},
        "defaults": {"variant": "default", "sample_rate": 24000},
    }


def _files(folder: Path) -> dict[str, Path]:
    return {
        str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _variant(hub: Hub, model_id: str, files: Mapping[str, Path | bytes]) -> dict[str, Any]:
    listed = []
    for path, content in files.items():
        source = source_of(model_id, path)
        hub.add(repo_of(model_id), source, content)
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        listed.append({"path": path, "source": source, "size": size})
    return {
        "files": listed,
        "url": f"https://huggingface.co/{repo_of(model_id)}/resolve/main/",
        "size": sum(file["size"] for file in listed),
    }
