"""What a model is: one JSON file each, validated to the last key.

The documented form is the smallest one:

    { "name": "…", "description": "…", "backend": "…", "license": "…",
      "variants": { "<variant>": { "files": ["model.onnx", …], "url": "https://…/", "size": 1 } },
      "defaults": { "variant": "<variant>", "sample_rate": 24000 } }

A file is a string, or an object where it has more to say (`ManifestFile`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from sirene_shared.errors import InvalidManifest, InvalidRequest, ModelNotFound, VariantNotFound
from sirene_shared.names import ModelRef, check_model, check_path, check_variant, split_id

MAX_MANIFEST_BYTES = 1 << 20
Capability = Literal["preset", "cloning", "design"]
Size = Annotated[int, Meta(ge=0, le=1 << 46)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Md5 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s\\]+$", max_length=2000)]
Text = Annotated[str, Meta(max_length=2000)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a manifest: an unknown key is an error, since it would be a misspelt one."""


class ManifestFile(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str
    """Where it lies under the variant's directory."""
    source: str = ""
    """Path under the variant's url, or a URL, when it differs from `path`."""
    size: Size | None = None
    sha256: Digest | None = None
    md5: Md5 | None = None
    """Where upstream publishes only that."""
    repo: Word | None = None
    """A repository of the hub other than the one in `url`."""
    revision: Word | None = None

    @property
    def source_path(self) -> str:
        return self.source or self.path


class Voice(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A voice, by the name that a request uses."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    name: Text = ""
    language: Text = ""


class Variant(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    files: Annotated[tuple[str | ManifestFile, ...], Meta(min_length=1, max_length=1000)]
    url: Url
    """Where the files lie; for the hub `https://huggingface.co/<repo>/resolve/<revision>/`."""
    size: Size | None = None
    """Of all files together, as published."""
    license: Text = ""
    revision: Word | None = None
    """The commit or tag to fetch, instead of the one in `url`."""
    gated: bool = False
    capabilities: tuple[Capability, ...] = ("preset",)
    voices: tuple[Voice, ...] = ()
    languages: tuple[Text, ...] = ()
    memory: Size | None = None
    """Bytes it takes when loaded, as an estimate until it was measured."""
    memory_cpu: Size | None = None
    """The same on a CPU, where that differs: weights that a GPU holds in half precision."""

    @property
    def file_list(self) -> tuple[ManifestFile, ...]:
        return tuple(
            ManifestFile(path=file) if isinstance(file, str) else file for file in self.files
        )

    def memory_on(self, device: str) -> int | None:
        """device: `cpu` or `cuda`."""
        return self.memory_cpu or self.memory if device == "cpu" else self.memory

    @property
    def size_bytes(self) -> int | None:
        """Of all files: their own sizes where every one is known, else the published sum."""
        sizes = [file.size for file in self.file_list if file.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else self.size


class Defaults(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    variant: str
    sample_rate: Annotated[int, Meta(ge=8000, le=192_000)] = 24_000


class Manifest(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    description: Text
    backend: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    license: Text
    variants: Annotated[dict[str, Variant], Meta(min_length=1, max_length=1000)]
    defaults: Defaults

    def license_of(self, variant: str) -> str:
        return self.variants[variant].license or self.license


class Model(NamedTuple):
    """One variant together with the manifest it is from."""

    ref: ModelRef
    manifest: Manifest
    variant: Variant

    @property
    def digest(self) -> str:
        """sha256 over what decides the files on the volume: an install record carries it."""
        return hashlib.sha256(
            msgspec.json.encode([self.variant.url, self.variant.revision, self.variant.file_list])
        ).hexdigest()


class Catalogue(Mapping[str, Manifest]):
    """Every manifest of a directory, by name."""

    def __init__(self, manifests: Mapping[str, Manifest]) -> None:
        self._manifests = dict(sorted(manifests.items()))

    def __getitem__(self, name: str) -> Manifest:
        return self._manifests[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._manifests)

    def __len__(self) -> int:
        return len(self._manifests)

    def models(self) -> Iterator[Model]:
        for manifest in self.values():
            for name, variant in manifest.variants.items():
                yield Model(ModelRef(manifest.name, name), manifest, variant)

    def find(self, model_id: str, variant: str | None = None) -> Model:
        """The model that `name` or `name:variant` names; `variant` overrides the one in the id.

        Raises: InvalidRequest, ModelNotFound, VariantNotFound.
        """
        name, in_id = split_id(model_id)
        manifest = self.get(name)
        if manifest is None:
            raise ModelNotFound(
                f"no model is named {name!r}",
                hint="GET /api/models lists the models there are.",
                param="model",
            )
        chosen = check_variant(variant) if variant else in_id or manifest.defaults.variant
        if chosen not in manifest.variants:
            raise VariantNotFound(
                f"{name!r} has no variant {chosen!r}",
                hint=f"It has: {', '.join(list(manifest.variants)[:20])}.",
                param="variant",
            )
        return Model(ModelRef(name, chosen), manifest, manifest.variants[chosen])

    def __contains__(self, ref: object) -> bool:
        if isinstance(ref, ModelRef):
            return ref.model in self._manifests and ref.variant in self[ref.model].variants
        return ref in self._manifests


def parse(body: bytes, name: str) -> Manifest:
    """The manifest in `body`, which must be called `name`.

    Raises: InvalidManifest, saying where.
    """
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
        _check(manifest, name)
    except (msgspec.MsgspecError, InvalidRequest, UnicodeDecodeError) as error:
        raise InvalidManifest(f"manifest {name!r}: {error}") from error
    return manifest


def load_catalogue(folder: Path) -> Catalogue:
    """Every `*.json` of `folder`. Raises: InvalidManifest."""
    manifests = {}
    if not folder.is_dir():
        raise InvalidManifest(
            "the manifests directory does not exist", hint="Set SIRENE_MANIFESTS_PATH."
        )
    for path in sorted(folder.glob("*.json")):
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise InvalidManifest(f"manifest {path.stem!r} is larger than {MAX_MANIFEST_BYTES} B")
        manifests[path.stem] = parse(path.read_bytes(), path.stem)
    return Catalogue(manifests)


def _check(manifest: Manifest, name: str) -> None:
    """What a schema cannot say. Raises: InvalidRequest."""
    check_model(manifest.name)
    if manifest.name != name:
        raise InvalidRequest(f"its name is {manifest.name!r}, unlike its file's")
    if manifest.defaults.variant not in manifest.variants:
        raise InvalidRequest(f"the default variant {manifest.defaults.variant!r} is not there")
    if len({variant.casefold() for variant in manifest.variants}) != len(manifest.variants):
        raise InvalidRequest("two variants differ only in case")
    for variant_name, variant in manifest.variants.items():
        check_variant(variant_name)
        paths = [file.path for file in variant.file_list]
        for path in paths:
            check_path(path)
        folded = {path.casefold() for path in paths}
        if len(folded) != len(paths):
            raise InvalidRequest(f"{variant_name}: two files have one path")
        parents = {"/".join(p.split("/")[:n]) for p in folded for n in range(1, p.count("/") + 1)}
        if parents & folded:
            raise InvalidRequest(f"{variant_name}: a path is both a file and a folder")
        for file in variant.file_list:
            if "://" not in file.source_path:
                check_path(file.source_path)
            elif not file.source_path.startswith(("https://", "http://")):
                raise InvalidRequest(f"{variant_name}: {file.path}: a source is https or http")
