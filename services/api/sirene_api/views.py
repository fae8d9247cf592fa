"""What the HTTP API answers, as types: the OpenAPI document is made from them."""

from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from sirene_shared.messages import (
    InstallState,
    LoadedModel,
    LoadedState,
    Phase,
    ReplicaStatus,
    Transfer,
)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON object of an answer; every field is always there."""


class ErrorBody(View, frozen=True, kw_only=True):
    """What went wrong, in OpenAI's form."""

    message: str
    type: Annotated[str, Meta(description="OpenAI's word for the kind of error.")]
    code: Annotated[str, Meta(description="Stable: match on this.")]
    param: Annotated[str | None, Meta(description="The field that is wrong, if one is.")] = None
    hint: Annotated[str, Meta(description="What to do about it.")] = ""


class ErrorAnswer(View, frozen=True, kw_only=True):
    error: ErrorBody


class VoiceView(View, frozen=True, kw_only=True):
    id: str
    name: str
    language: str


class TransferView(View, frozen=True, kw_only=True):
    """How far a running pull is."""

    phase: Phase
    done_bytes: int
    total_bytes: int | None
    percent: Annotated[float | None, Meta(description="0 to 100; null while the total is unknown.")]
    speed_bytes_s: float
    eta_s: float | None
    file: str
    files: list[str]
    attempt: int

    @classmethod
    def of(cls, transfer: Transfer) -> Self:
        total = transfer.total_bytes
        return cls(
            phase=transfer.phase,
            done_bytes=transfer.done_bytes,
            total_bytes=total,
            percent=round(min(100 * transfer.done_bytes / total, 100), 1) if total else None,
            speed_bytes_s=transfer.speed_bytes_s,
            eta_s=transfer.eta_s,
            file=transfer.file,
            files=list(transfer.files),
            attempt=transfer.attempt,
        )


class LoadedView(View, frozen=True, kw_only=True):
    """A model in the memory of a replica."""

    id: str
    name: str
    variant: str
    replica: str
    host: str
    state: LoadedState
    device: str
    memory_bytes: Annotated[int, Meta(description="Measured; 0 while loading.")]
    in_flight: Annotated[int, Meta(description="Requests that it is speaking now.")]
    idle_s: float
    last_used_at: float
    load_s: float
    pinned: Annotated[bool, Meta(description="It leaves neither for others nor for being idle.")]
    expires_at: Annotated[
        float | None,
        Meta(description="When it leaves unless it is used; null: not by itself, or it is used."),
    ]
    is_next: Annotated[bool, Meta(description="It is the first to leave when room is needed.")]

    @classmethod
    def of(cls, replica: ReplicaStatus, loaded: LoadedModel) -> Self:
        return cls(
            id=loaded.ref.id,
            name=loaded.model,
            variant=loaded.variant,
            replica=replica.replica,
            host=replica.host,
            state=loaded.state,
            device=loaded.device,
            memory_bytes=loaded.memory_bytes,
            in_flight=loaded.in_flight,
            idle_s=loaded.idle_s,
            last_used_at=loaded.last_used_at,
            load_s=loaded.load_s,
            pinned=loaded.pinned,
            expires_at=loaded.expires_at,
            is_next=loaded.is_next,
        )


class ReplicaView(View, frozen=True, kw_only=True):
    """An inference replica."""

    replica: str
    host: str
    device: str
    max_loaded_models: int
    memory_total_bytes: int
    memory_available_bytes: int
    memory_limits: Annotated[dict[str, int], Meta(description="For models, by device.")]
    memory_taken: Annotated[dict[str, int], Meta(description="By models, by device.")]
    models: list[LoadedView]
    backends: list[str]
    started_at: float

    @classmethod
    def of(cls, replica: ReplicaStatus) -> Self:
        return cls(
            replica=replica.replica,
            host=replica.host,
            device=replica.device,
            max_loaded_models=replica.max_loaded_models,
            memory_total_bytes=replica.memory_total_bytes,
            memory_available_bytes=replica.memory_available_bytes,
            memory_limits=dict(replica.memory_limits),
            memory_taken=dict(replica.memory_taken),
            models=[LoadedView.of(replica, loaded) for loaded in replica.models],
            backends=list(replica.backends),
            started_at=replica.started_at,
        )


class ReplicaGone(View, frozen=True, kw_only=True):
    """A replica that has left."""

    replica: str
    gone: Literal[True] = True


class ModelView(View, frozen=True, kw_only=True):
    """One variant of one model: its manifest joined with what became of it here."""

    id: Annotated[str, Meta(description="`name:variant`, as every route takes it.")]
    name: str
    variant: str
    is_default: Annotated[bool, Meta(description="`name` alone means this variant.")]
    description: str
    backend: str
    license: str
    gated: bool
    capabilities: list[str]
    languages: list[str]
    voices: list[VoiceView]
    sample_rate: int
    size_bytes: Annotated[int | None, Meta(description="Of all files, as published.")]
    memory_bytes: Annotated[int | None, Meta(description="When loaded; an estimate.")]
    state: InstallState
    job: Annotated[str, Meta(description="The pull that made this state; empty if none did.")]
    transfer: TransferView | None
    reason: Annotated[str, Meta(description="Why a pull waits; empty: for its turn.")]
    installed_bytes: int
    revision: str
    changed_at: float
    error: ErrorBody | None
    loaded: list[LoadedView]


class ModelList(View, frozen=True, kw_only=True):
    models: list[ModelView]


class InstalledList(View, frozen=True, kw_only=True):
    models: list[ModelView]
    total_bytes: int


class LoadedList(View, frozen=True, kw_only=True):
    models: list[LoadedView]
    replicas: list[ReplicaView]


class Snapshot(View, frozen=True, kw_only=True):
    """The first event of every stream: the whole state."""

    models: list[ModelView]
    replicas: list[ReplicaView]
