"""Where a model's files lie, and what "installed" means.

    <root>/<name>/<variant>/…            installed, if and only if .sirene.json is there
    <root>/.staging/<writer>/…           a downloader at work; never read by anyone else
    <root>/.sirene/…                     what its downloaders keep: which volume it is, a
                                         token for the hub that somebody gave

The volume is the truth: a directory gets its final name by one rename, after its record was
written, so a directory that exists is whole.
"""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sirene_shared.errors import InvalidRequest, ModelDamaged, ModelNotInstalled
from sirene_shared.names import ModelRef, check_model, check_variant

RECORD_NAME = ".sirene.json"
STAGING_NAME = ".staging"
KEPT_NAME = ".sirene"
MAX_RECORD_BYTES = 4 << 20


class RecordedFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    size: int
    sha256: str


class InstallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was installed, written last."""

    model: str
    variant: str
    manifest_digest: str
    revision: str
    """The hub's commit, as far as it is known."""
    files: tuple[RecordedFile, ...]
    installed_at: float
    sirene_version: str
    license: str = ""

    @property
    def size_bytes(self) -> int:
        return sum(file.size for file in self.files)


class Store:
    """Reads the volume. Only the downloader writes to it, and it does so elsewhere."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def staging(self) -> Path:
        return self.root / STAGING_NAME

    @property
    def kept(self) -> Path:
        return self.root / KEPT_NAME

    @property
    def hub_token(self) -> Path:
        return self.kept / "hub-token"

    def directory(self, ref: ModelRef) -> Path:
        """Where the variant's files lie. Raises: InvalidRequest for a name that is none."""
        return self.root / check_model(ref.model) / check_variant(ref.variant)

    def record(self, ref: ModelRef) -> InstallRecord | None:
        """The variant's install record; None when it is not installed.

        Raises: ModelDamaged when there is a record that cannot be read.
        """
        path = self.directory(ref) / RECORD_NAME
        try:
            if path.stat().st_size > MAX_RECORD_BYTES:
                raise ModelDamaged(f"the install record of {ref.id!r} is far too large")
            return msgspec.json.decode(path.read_bytes(), type=InstallRecord)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ModelDamaged(
                f"the install record of {ref.id!r} cannot be read", hint="Delete and pull it again."
            ) from error

    def installed_files(self, ref: ModelRef) -> dict[str, Path]:
        """Path in the variant's directory -> file, for loading.

        Checks cheaply, at each load, what can change under an install: that every recorded file
        is there, a plain file, and of its size.

        Raises: ModelNotInstalled, ModelDamaged.
        """
        record = self.record(ref)
        if record is None:
            raise ModelNotInstalled(
                f"{ref.id!r} is not installed",
                hint=f"Install it first: sirene pull {ref.id}, or POST /api/models/{ref.id}/pull.",
                param="model",
            )
        files = {}
        for entry in record.files:
            path = self.directory(ref) / entry.path
            try:
                found = path.lstat()
            except OSError as error:
                raise ModelDamaged(
                    f"{entry.path!r} of {ref.id!r} is missing", hint="Delete and pull it again."
                ) from error
            if not stat.S_ISREG(found.st_mode) or found.st_size != entry.size:
                raise ModelDamaged(
                    f"{entry.path!r} of {ref.id!r} is not what was installed",
                    hint="Delete and pull it again.",
                )
            files[entry.path] = path
        return files

    def directories(self) -> Iterator[ModelRef]:
        """Every variant's directory that is there, installed or not."""
        for model in _folders(self.root):
            for variant in _folders(model):
                try:
                    ref = ModelRef(check_model(model.name), check_variant(variant.name))
                except InvalidRequest:
                    continue  # not ours
                yield ref


def _folders(path: Path) -> Iterator[Path]:
    try:
        entries = sorted(path.iterdir())
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield entry
