"""The commands and the states on the bus: what is wanted, and what became of it."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sirene_shared.errors import Failure
from sirene_shared.wire import AboutModel, Count, Name, Wire

# ── Commands: intent, kept in JetStream ─────────────────────────────────────────────────────────


class PullCommand(AboutModel, frozen=True, kw_only=True):
    """Install this variant."""

    job: Name
    requested_at: float = 0.0
    now: bool = False
    """Also outside the hours in which pulls run."""
    repair: bool = False
    """Hash what is installed already, and fetch only the files that are not right."""


class DeleteCommand(AboutModel, frozen=True, kw_only=True):
    """Remove this variant from the volume, and end a pull of it."""

    job: Name
    requested_at: float = 0.0


class Wish(AboutModel, frozen=True, kw_only=True):
    """What is wanted of a pull that was commanded: the value in the bucket sirene-wishes.

    Intent, as the command is. It counts for the command with this job alone, and goes with it.
    """

    job: Name
    action: Literal["run", "pause", "cancel"] = "run"
    keep: bool = False
    """Of a cancelled pull: keep the bytes that came."""
    now: bool = False
    """Also outside the hours in which pulls run."""
    rank: float = 0.0
    """Commands of lower rank are taken first; of equal rank, the older."""


class PullLimits(Wire, frozen=True, kw_only=True):
    """What downloads may use, of each downloader; None: as its environment says."""

    pulls: Annotated[int, Meta(ge=1, le=32)] | None = None
    """How many models at a time."""
    max_rate: Annotated[int, Meta(ge=0, le=1 << 50)] | None = None
    """Bytes a second, all pulls together; 0: no limit."""
    connections: Annotated[int, Meta(ge=1, le=64)] | None = None
    """To one host."""


class Suspicion(AboutModel, frozen=True, kw_only=True):
    """A replica could not load what is installed: whoever may write the volume looks at it."""

    reason: Annotated[str, Meta(max_length=1000)]
    """For people, as the replica told its own callers."""
    installed_at: float = 0.0
    """Of the record that it found; 0: of none. Another one since then is not meant."""


class Control(Wire, frozen=True, kw_only=True):
    """To whoever runs the job; a job nobody runs yet is marked in its state."""

    job: Name
    action: Literal["cancel", "pause", "resume"]
    model: Name
    variant: Name
    keep: bool = False
    """Keep the bytes that came, for a later pull."""


# ── State: views that anyone can rebuild ────────────────────────────────────────────────────────


class InstallState(StrEnum):
    ABSENT = "absent"
    QUEUED = "queued"
    DOWNLOADING = "downloading"
    PAUSED = "paused"
    VERIFYING = "verifying"
    INSTALLED = "installed"
    DAMAGED = "damaged"
    FAILED = "failed"

    @property
    def is_active(self) -> bool:
        """A job is at work on the model, or will be."""
        return self in ACTIVE_STATES


ACTIVE_STATES = frozenset(
    {
        InstallState.QUEUED,
        InstallState.DOWNLOADING,
        InstallState.PAUSED,
        InstallState.VERIFYING,
    }
)


class Phase(StrEnum):
    RESOLVING = "resolving"
    DOWNLOADING = "downloading"
    VERIFYING = "verifying"
    INSTALLING = "installing"


class Transfer(Wire, frozen=True, kw_only=True):
    """How far a pull is."""

    phase: Phase
    done_bytes: Count = 0
    total_bytes: Count | None = None
    """None until every file's size is known."""
    speed_bytes_s: float = 0.0
    """Smoothed; zero when nothing arrives."""
    eta_s: float | None = None
    """None when it cannot be told."""
    file: str = ""
    """The first file in work, by its path in the variant's directory."""
    files: tuple[str, ...] = ()
    """All files in work."""
    attempt: int = 1


class Progress(AboutModel, frozen=True, kw_only=True):
    """A tick of a running pull, at most four a second."""

    job: Name
    seq: Count
    """Rises within a job, over ticks and states together."""
    transfer: Transfer


class ModelStatus(AboutModel, frozen=True, kw_only=True):
    """A model's install state: the value in the bucket sirene-models."""

    state: InstallState
    job: str = ""
    """The pull that made this state; empty when the volume alone did."""
    seq: Count = 0
    transfer: Transfer | None = None
    size_bytes: Count = 0
    """On the volume, when installed; also while a pull repairs or renews what is."""
    revision: str = ""
    error: Failure | None = None
    reason: str = ""
    """Why a pull waits, for people; empty when it only waits for its turn."""
    begun: Count = 0
    """How often work on the pull was begun and not left in order."""
    freed_bytes: Count = 0
    """What the delete that made this state gave back: not what another variant shares."""
    changed_at: float = 0.0
    """Seconds since the epoch, by the writer's clock; for people, never compared."""

    @property
    def is_usable(self) -> bool:
        """It can speak now: installed, or installed and being repaired or renewed."""
        is_renewed = self.state.is_active and self.size_bytes > 0
        return self.state is InstallState.INSTALLED or is_renewed

    @property
    def usable_bytes(self) -> int:
        """Of an install that can speak now; 0 when there is none."""
        return self.size_bytes if self.is_usable else 0


class MeasuredSize(AboutModel, frozen=True, kw_only=True):
    """What a model was found to take in memory: the value in the bucket sirene-sizes."""

    digest: str = ""
    """Of its manifest; another one is another model."""
    device: str = "cpu"
    memory_bytes: Count = 0


class Lease(Wire, frozen=True, kw_only=True):
    """Who writes a model's files now; the entry's revision is the fence."""

    holder: Name


class LoadedState(StrEnum):
    LOADING = "loading"
    LOADED = "loaded"
    UNLOADING = "unloading"


class LoadedModel(AboutModel, frozen=True, kw_only=True):
    """A model in a replica's memory."""

    state: LoadedState
    device: str = "cpu"
    memory_bytes: Count = 0
    """Measured over the runner and its children; 0 while loading."""
    in_flight: Count = 0
    idle_s: float = 0.0
    """Since the last request ended, when this was written; 0 while in use."""
    last_used_at: float = 0.0
    load_s: float = 0.0
    """How long the load took."""
    pinned: bool = False
    expires_at: float | None = None
    """When it leaves unless somebody uses it, in seconds since the epoch; None: not by itself."""
    is_next: bool = False
    """It is the one that leaves first when room is needed."""


class ReplicaStatus(Wire, frozen=True, kw_only=True):
    """An inference replica: the value in the bucket sirene-replicas."""

    replica: Name
    host: str = ""
    device: str = "cpu"
    max_loaded_models: int = 1
    memory_total_bytes: Count = 0
    memory_available_bytes: Count = 0
    memory_limits: dict[str, Count] = msgspec.field(default_factory=dict)
    """Bytes that models may take, by device; a device that is not named has no limit."""
    memory_taken: dict[str, Count] = msgspec.field(default_factory=dict)
    """Bytes that they take, by device, with what those that load are expected to."""
    models: tuple[LoadedModel, ...] = ()
    backends: tuple[str, ...] = ()
    started_at: float = 0.0
    version: str = ""
    wanted_device: str = ""
    """As its settings say, like the next two."""
    max_memory: str = ""
    keep_alive_s: float | None = None
    """How long an idle model stays by default; negative: until room is needed; None: not told."""
