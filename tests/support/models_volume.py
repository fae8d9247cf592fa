"""A models volume and its manifests, filled for a test as the downloader would fill them."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from sirene_shared.names import ModelRef
from sirene_shared.store import RECORD_NAME, InstallRecord, RecordedFile
from tests.support import f5_model, kokoro_voice, piper_voice, qwen_model, vits_voice


class ModelsVolume:
    """`root` holds models, `manifests` what they are; each add_…() installs one variant."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "models"
        self.manifests = folder / "manifests"
        self.root.mkdir(parents=True)
        self.manifests.mkdir()
        self._variants: dict[str, dict[str, Any]] = {}

    def add_tone(self, variant: str, **config: object) -> ModelRef:
        """config: the fields of sirene_inference.backends.tone.ToneConfig."""
        ref = ModelRef("tone", variant)
        return self._add(ref, {"tone.json": msgspec.json.encode(config)})

    def add_piper(self, variant: str, **options: Any) -> ModelRef:
        """options: those of piper_voice.build()."""
        built = piper_voice.build(self.root.parent / "built" / f"{variant}.onnx", **options)
        return self.add_piper_files(variant, built)

    def add_vits(self, variant: str, **options: Any) -> ModelRef:
        """A Piper voice of the real architecture. options: those of vits_voice.build()."""
        built = vits_voice.build(self.root.parent / "built" / f"{variant}.onnx", **options)
        return self.add_piper_files(variant, built)

    def add_piper_files(self, variant: str, graph: Path) -> ModelRef:
        """A voice that was built elsewhere: `graph` and the config beside it."""
        files = {
            "model.onnx": graph.read_bytes(),
            "model.onnx.json": Path(f"{graph}.json").read_bytes(),
        }
        return self._add(ModelRef("piper", variant), files)

    def add_kokoro(self, variant: str, **options: Any) -> ModelRef:
        """options: those of kokoro_voice.build()."""
        folder = self.root.parent / "built" / f"kokoro-{variant}"
        kokoro_voice.build(folder, **options)
        return self.add_kokoro_files(variant, folder)

    def add_kokoro_files(self, variant: str, folder: Path) -> ModelRef:
        """A model that was built elsewhere."""
        return self._add(ModelRef("kokoro", variant), files_of(folder))

    def add_qwen(self, variant: str, kind: str = "custom_voice", **options: Any) -> ModelRef:
        """kind, options: those of qwen_model.build()."""
        built = qwen_model.build(self.root.parent / "built" / f"qwen-{variant}", kind, **options)
        capability = {"custom_voice": "preset", "voice_design": "design", "base": "cloning"}[kind]
        return self._add(ModelRef("qwen", variant), files_of(built), capabilities=[capability])

    def add_f5tts(self, variant: str) -> ModelRef:
        built = f5_model.build(self.root.parent / "built" / f"f5tts-{variant}")
        return self._add(ModelRef("f5tts", variant), files_of(built), capabilities=["cloning"])

    def declare(
        self, ref: ModelRef, files: Mapping[str, bytes], *, backend: str = "", **fields: object
    ) -> None:
        """Put the variant into the manifests without installing it. fields: more of the variant."""
        variants = self._variants.setdefault(ref.model, {})
        variants[ref.variant] = {"files": list(files), "url": "https://example.org/"} | fields
        manifest = {
            "name": ref.model,
            "description": "for tests",
            "backend": backend or ref.model,
            "license": "MIT",
            "variants": variants,
            "defaults": {"variant": next(iter(variants)), "sample_rate": 22050},
        }
        (self.manifests / f"{ref.model}.json").write_bytes(msgspec.json.encode(manifest))

    def install(self, ref: ModelRef, files: Mapping[str, bytes]) -> None:
        folder = self.root / ref.model / ref.variant
        for path, body in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(body)
        record = InstallRecord(
            model=ref.model,
            variant=ref.variant,
            manifest_digest="",
            revision="",
            files=tuple(
                RecordedFile(path=path, size=len(body), sha256=hashlib.sha256(body).hexdigest())
                for path, body in files.items()
            ),
            installed_at=time.time(),
            sirene_version="0",
        )
        (folder / RECORD_NAME).write_bytes(msgspec.json.encode(record))

    def _add(self, ref: ModelRef, files: Mapping[str, bytes], **fields: object) -> ModelRef:
        self.declare(ref, files, **fields)
        self.install(ref, files)
        return ref


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file under `folder`, by its path in it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
