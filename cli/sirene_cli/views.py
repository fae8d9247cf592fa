"""What the API tells, as far as the commands show it; a field it does not send has a default."""

import msgspec

from sirene_cli.failures import ErrorBody


class TransferView(msgspec.Struct, frozen=True, kw_only=True):
    phase: str | None = None
    done_bytes: int | None = None
    total_bytes: int | None = None
    percent: float | None = None
    speed_bytes_s: float | None = None
    eta_s: float | None = None
    file: str | None = None
    files: tuple[str, ...] = ()
    attempt: int | None = None


class LoadedView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    state: str = ""
    replica: str = ""
    host: str = ""
    device: str = ""
    memory_bytes: int = 0
    in_flight: int = 0
    idle_s: float = 0.0
    pinned: bool = False
    expires_at: float | None = None
    is_next: bool = False


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    state: str
    backend: str = ""
    license: str = ""
    languages: tuple[str, ...] = ()
    size_bytes: int | None = None
    installed_bytes: int = 0
    job: str = ""
    transfer: TransferView | None = None
    error: ErrorBody | None = None
    loaded: tuple[LoadedView, ...] = ()


class Models(msgspec.Struct, frozen=True, kw_only=True):
    models: tuple[ModelView, ...]


class LoadedModels(msgspec.Struct, frozen=True, kw_only=True):
    models: tuple[LoadedView, ...]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    state: str = ""
    job: str = ""


class Jobs(msgspec.Struct, frozen=True, kw_only=True):
    pulls: tuple[Job, ...] = ()


class Download(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    state: str = ""
    reason: str = ""
    transfer: TransferView | None = None


class Downloads(msgspec.Struct, frozen=True, kw_only=True):
    running: tuple[Download, ...] = ()
    queued: tuple[Download, ...] = ()
    paused: tuple[Download, ...] = ()


class PullLimits(msgspec.Struct, frozen=True, kw_only=True):
    pulls: int | None = None
    max_rate: int | None = None
    connections: int | None = None


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    freed_bytes: int = 0


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    replica: str = ""
    device: str = ""
    memory_bytes: int = 0
    load_s: float = 0.0


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    pinned: bool = False
    replicas: tuple[str, ...] = ()


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    replica: str = ""
    freed_bytes: int = 0


class NotFreed(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    error: ErrorBody
    replica: str = ""


class Unloaded(msgspec.Struct, frozen=True, kw_only=True):
    unloaded: tuple[Freed, ...] = ()
    errors: tuple[NotFreed, ...] = ()


class PullEvent(TransferView, frozen=True, kw_only=True, omit_defaults=True):
    """`progress`, `complete` and `error` of a pull in one."""

    id: str = ""
    job: str = ""
    state: str = ""
    size_bytes: int | None = None
    error: ErrorBody | None = None


class Preflight(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    total_bytes: int | None = None
    missing_bytes: int | None = None
    free_bytes: int | None = None
    license: str = ""
    gated: bool = False
    token: str = ""
    memory_bytes: int | None = None
    fits_memory: bool | None = None
    error: ErrorBody | None = None


class FileCheck(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    state: str
    size_bytes: int = 0


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    ok: bool
    checked_bytes: int = 0
    files: tuple[FileCheck, ...] = ()


class LeftPart(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    writer: str = ""
    size_bytes: int = 0
    in_use: bool = False
    is_orphan: bool = False


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    parts: tuple[LeftPart, ...] = ()
    total_bytes: int = 0


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    verdict: str
    kept: bool
    source: str = ""


class TokenCleared(msgspec.Struct, frozen=True, kw_only=True):
    source: str = ""


class FittingFile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    path: str
    is_certain: bool = False


class FittingModel(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    files: tuple[FittingFile, ...] = ()
    missing: tuple[str, ...] = ()
    is_complete: bool = False

    @property
    def rank(self) -> tuple[int, bool, int]:
        certain = sum(file.is_certain for file in self.files)
        return certain, self.is_complete, len(self.files)


class Identified(msgspec.Struct, frozen=True, kw_only=True):
    models: tuple[FittingModel, ...] = ()
    unknown: tuple[str, ...] = ()
    hint: str = ""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    size_bytes: int = 0
    unverified: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every error answer."""

    error: ErrorBody
