"""Which model files belong to: by what its manifest says of name, length and hash."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from sirene_api.import_answers import FittingFile, FittingModel, Identified
from sirene_shared.manifest import ManifestFile, Model

MAX_MODELS = 20
PIPER_VOICE = re.compile(
    r"(?:.*/)?(?P<voice>[a-z]{2,3}_[A-Z]{2,3}-[^/]+-(?:x_low|low|medium|high))\.onnx(?:\.json)?"
)
ADD_A_MANIFEST = (
    "The catalogue does not have it. Add it to a manifest in SIRENE_MANIFESTS_PATH, as"
    " docs/operations.md tells, and restart Sirene."
)


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """name: with `/` where it lies in a folder."""

    name: str
    size_bytes: int
    sha256: str | None = None


def identify(models: Iterable[Model], brought: Sequence[Brought]) -> Identified:
    """The models that some of the files belong to, those with most of theirs first."""
    found = [fitting for model in models if (fitting := _fit(model, brought))]
    found.sort(key=lambda each: (-_certain(each), not each.is_complete, -len(each.files), each.id))
    best = found[:MAX_MODELS]
    known = {file.name for model in found for file in model.files}
    unknown = [file.name for file in brought if file.name not in known]
    voices = [match["voice"] for name in unknown if (match := PIPER_VOICE.fullmatch(name))]
    hint = ""
    if voices:
        hint = f"{voices[0]!r} looks like a Piper voice. {ADD_A_MANIFEST}"
    elif unknown and not found:
        hint = ADD_A_MANIFEST
    return Identified(models=best, unknown=unknown, hint=hint)


def _certain(model: FittingModel) -> int:
    return sum(file.is_certain for file in model.files)


def _fit(model: Model, brought: Sequence[Brought]) -> FittingModel | None:
    """Each file of the manifest takes the first of the brought ones that can be it."""
    fitting, free = [], list(brought)
    for file in model.variant.file_list:
        theirs = [(_certainty(model, file, each), each) for each in free]
        certainty, chosen = max(theirs, key=lambda pair: pair[0], default=(0, None))
        if chosen is None or not certainty:
            continue
        free.remove(chosen)
        fitting.append(FittingFile(name=chosen.name, path=file.path, is_certain=certainty > 1))
    if not fitting:
        return None
    here = {file.path for file in fitting}
    missing = [file.path for file in model.variant.file_list if file.path not in here]
    return FittingModel(
        id=model.ref.id,
        license=model.manifest.license_of(model.ref.variant),
        files=fitting,
        missing=missing,
        is_complete=not missing,
    )


def _certainty(model: Model, file: ManifestFile, brought: Brought) -> int:
    """0: it is not this file; 1: it may be, by its name; 2: by name and length; 3: by its hash."""
    if file.sha256 and brought.sha256:
        return 3 if file.sha256 == brought.sha256.lower() else 0
    if file.size is not None and file.size != brought.size_bytes:
        return 0
    if not _is_named(file, brought.name):
        return 0
    return 1 if file.size is None else 2


def _is_named(file: ManifestFile, name: str) -> bool:
    """As the model has it or as its origin does; in a folder or out of it."""
    parts = name.split("/")
    for known in (file.path, file.source_path):
        theirs = known.split("/")
        shared = min(len(parts), len(theirs))
        if parts[-shared:] == theirs[-shared:]:
            return True
    return False
