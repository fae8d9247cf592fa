"""What the operations on models answer, and the events of a pull."""

from typing import Annotated, Literal

from msgspec import Meta

from sirene_api.views import ErrorBody, TransferView, View
from sirene_shared.messages import InstallState, Phase


class PullView(View, frozen=True, kw_only=True):
    """A pull that was asked for, joined, found done, or cancelled."""

    id: str
    job: str
    state: InstallState


class PullList(View, frozen=True, kw_only=True):
    pulls: list[PullView]


class DownloadView(View, frozen=True, kw_only=True):
    """A pull that is not finished."""

    id: str
    job: str
    state: InstallState
    reason: Annotated[str, Meta(description="Why it waits; empty: for its turn.")]
    now: Annotated[bool, Meta(description="Also outside the hours in which pulls run.")]
    requested_at: float
    transfer: TransferView | None


class DownloadsView(View, frozen=True, kw_only=True):
    """Each list in the order of the queue."""

    running: list[DownloadView]
    queued: list[DownloadView]
    paused: list[DownloadView]


class LimitsView(View, frozen=True, kw_only=True):
    """Of each downloader; `null`: its environment says it."""

    pulls: Annotated[int | None, Meta(description="How many models at a time.")]
    max_rate: Annotated[int | None, Meta(description="Bytes a second, all pulls; 0: no limit.")]
    connections: Annotated[int | None, Meta(description="To one host.")]


class PullProgress(View, frozen=True, kw_only=True):
    """The event `progress` of a pull."""

    id: str
    job: str
    state: InstallState
    phase: Annotated[Phase | None, Meta(description="null while the pull is queued.")]
    done_bytes: int
    total_bytes: int | None
    percent: float | None
    speed_bytes_s: float
    eta_s: float | None
    file: str
    files: list[str]
    attempt: int
    reason: Annotated[str, Meta(description="Why it waits; empty: for its turn.")] = ""


class PullComplete(View, frozen=True, kw_only=True):
    """The event `complete` of a pull: the last one."""

    id: str
    job: str
    state: InstallState
    size_bytes: int


class PullFailed(View, frozen=True, kw_only=True):
    """The event `error` of a pull: the last one."""

    id: str
    job: str
    state: InstallState
    error: ErrorBody


class Deleted(View, frozen=True, kw_only=True):
    id: str
    freed_bytes: int


class LoadAnswer(View, frozen=True, kw_only=True):
    id: str
    replica: str
    device: str
    memory_bytes: int
    load_s: float


class PinAnswer(View, frozen=True, kw_only=True):
    id: str
    pinned: bool
    replicas: Annotated[list[str], Meta(description="Those that hold the model.")]


class Unloaded(View, frozen=True, kw_only=True):
    id: str
    replica: str
    freed_bytes: int


class UnloadError(View, frozen=True, kw_only=True):
    id: str
    replica: str
    error: ErrorBody


class UnloadAnswer(View, frozen=True, kw_only=True):
    """What every replica said; nothing loaded is no error."""

    unloaded: list[Unloaded]
    errors: list[UnloadError]


class Live(View, frozen=True, kw_only=True):
    status: Literal["ok"] = "ok"


class BusCheck(View, frozen=True, kw_only=True):
    ok: bool


class ServiceCheck(View, frozen=True, kw_only=True):
    ok: bool
    replicas: list[str]


class Checks(View, frozen=True, kw_only=True):
    bus: BusCheck
    downloader: ServiceCheck
    inference: ServiceCheck


class Readiness(View, frozen=True, kw_only=True):
    """Only the bus decides the status; the services behind it are told for information."""

    status: Literal["ready", "unavailable"]
    checks: Checks
