"""What may be called what: names of models, variants and files, checked once, refused when odd.

Names become subjects, keys and paths, so they are validated, never sanitised: two names that
sanitise to one would collide.
"""

import re
from typing import NamedTuple

from sirene_shared.errors import InvalidRequest

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
# A variant ending in a dot is no valid KV key.
VARIANT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_-])?", re.ASCII)
# Files of published models: every name that is safe on all filesystems and in all shells.
PATH_PART = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.+@=-]{0,199}", re.ASCII)
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
MAX_PATH_LENGTH = 400
# Names that Windows gives to devices, with any extension.
DEVICE_NAME = re.compile(
    r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.ASCII | re.IGNORECASE
)


class ModelRef(NamedTuple):
    """One variant of one model, e.g. ModelRef("kokoro", "v1.0")."""

    model: str
    variant: str

    @property
    def key(self) -> str:
        """As KV key and end of a subject: a name has no dot, so this is unambiguous."""
        return f"{self.model}.{self.variant}"

    @property
    def id(self) -> str:
        """As people and programs write it."""
        return f"{self.model}:{self.variant}"

    @classmethod
    def from_key(cls, key: str) -> "ModelRef":
        model, _, variant = key.partition(".")
        return cls(check_model(model), check_variant(variant))


def split_id(model_id: str) -> tuple[str, str | None]:
    """`name` or `name:variant` -> (name, variant or None).

    Raises: InvalidRequest.
    """
    model, colon, variant = model_id.partition(":")
    return check_model(model), check_variant(variant) if colon else None


def check_model(name: str) -> str:
    """Raises: InvalidRequest."""
    if not MODEL_NAME.fullmatch(name) or DEVICE_NAME.fullmatch(name):
        raise InvalidRequest(
            f"{shown(name)} is not a model name",
            hint="A model name has a-z, 0-9 and -, and at most 64 characters.",
            param="model",
        )
    return name


def check_variant(name: str) -> str:
    """Raises: InvalidRequest."""
    if not VARIANT_NAME.fullmatch(name) or ".." in name or DEVICE_NAME.fullmatch(name):
        raise InvalidRequest(
            f"{shown(name)} is not a variant name",
            hint="A variant has letters, digits, '.', '_' and '-', without '..'.",
            param="variant",
        )
    return name


def check_job(job: str) -> str:
    """Raises: InvalidRequest."""
    if not JOB_ID.fullmatch(job):
        raise InvalidRequest(f"{shown(job)} is not a job id", param="job")
    return job


def check_path(path: str) -> str:
    """A file's path inside its variant's directory: relative, normalised, plain.

    Raises: InvalidRequest.
    """
    parts = path.split("/")
    plain = all(
        PATH_PART.fullmatch(part) and part.strip(".") and not DEVICE_NAME.fullmatch(part)
        for part in parts
    )
    if not plain or len(path) > MAX_PATH_LENGTH or parts[0] == ".sirene.json":
        raise InvalidRequest(
            f"{shown(path)} is not a plain relative path",
            hint="A path is relative, has '/', and no '..', backslash, drive or control character.",
            param="path",
        )
    return path


def shown(name: str) -> str:
    """`name` for a message: quoted, escaped to ASCII, and cut."""
    return ascii(name if len(name) <= 80 else name[:77] + "...")
