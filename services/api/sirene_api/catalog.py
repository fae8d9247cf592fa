"""The manifests joined with what became of the models: every view of them is made here."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator

import msgspec

from sirene_api.http_errors import body_of
from sirene_api.views import LoadedView, ModelView, ReplicaView, TransferView, VoiceView
from sirene_shared.errors import InvalidRequest, ModelDamaged, ModelNotInstalled
from sirene_shared.manifest import Catalogue, Model
from sirene_shared.messages import InstallState, ModelStatus, Progress, ReplicaStatus
from sirene_shared.names import ModelRef

log = logging.getLogger(__name__)

# How many pulls that have ended are remembered, for clients that come back to ask.
REMEMBERED_JOBS = 1000


class Catalog:
    """Fed by the bus; `model_changed` and `replica_changed` are called after each change."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        model_changed: Callable[[Model], None] = lambda model: None,
        replica_changed: Callable[[str], None] = lambda replica: None,
        remembered_jobs: int = REMEMBERED_JOBS,
    ) -> None:
        self.catalogue = catalogue
        self.replicas: dict[str, ReplicaStatus] = {}
        self.model_changed = model_changed
        self.replica_changed = replica_changed
        self._statuses: dict[ModelRef, ModelStatus] = {}
        # The sequence number last seen in the bucket, without the ticks in between.
        self._written_seq: dict[ModelRef, int] = {}
        self._remembered_jobs = remembered_jobs
        self._ended: OrderedDict[str, ModelStatus] = OrderedDict()

    # What the bus tells.

    def take_status(self, key: str, value: bytes | None) -> None:
        """An entry of the bucket of models; None when it is gone."""
        try:
            ref = ModelRef.from_key(key)
            status = None if value is None else ModelStatus.decode(value)
        except (InvalidRequest, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("the state of %r cannot be read: %s", key, error)
            return
        if status is None:
            self._statuses.pop(ref, None)
            self._written_seq.pop(ref, None)
        else:
            self._statuses[ref] = self._merged(ref, status)
            self._written_seq[ref] = status.seq
            if status.job and not status.state.is_active:
                self._ended[status.job] = status
                self._ended.move_to_end(status.job)
                if len(self._ended) > self._remembered_jobs:
                    self._ended.popitem(last=False)
        self._tell(ref)

    def _merged(self, ref: ModelRef, status: ModelStatus) -> ModelStatus:
        """`status`, with the progress of a tick that has overtaken it.

        A number below the last written one is no overtaken state but a downloader that began anew.
        """
        known = self._statuses.get(ref)
        overtaken = (
            known is not None
            and known.job == status.job
            and status.state.is_active
            and self._written_seq.get(ref, 0) <= status.seq < known.seq
        )
        if not overtaken or known is None:
            return status
        return msgspec.structs.replace(status, seq=known.seq, transfer=known.transfer)

    def take_progress(self, body: bytes) -> None:
        """A tick between two written states; old, foreign and late ones are dropped."""
        try:
            tick = Progress.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("a progress message cannot be read: %s", error)
            return
        status = self._statuses.get(tick.ref)
        if (
            status is None
            or status.job != tick.job
            or not status.state.is_active
            or tick.seq <= status.seq
        ):
            return
        self._statuses[tick.ref] = msgspec.structs.replace(
            status, seq=tick.seq, transfer=tick.transfer
        )
        self._tell(tick.ref)

    def take_replica(self, key: str, value: bytes | None) -> None:
        """An entry of the bucket of replicas; None when it is gone."""
        try:
            status = None if value is None else ReplicaStatus.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("the state of replica %r cannot be read: %s", key, error)
            return
        before = self.replicas.pop(key, None)
        if status is not None:
            self.replicas[key] = status
        self.replica_changed(key)
        for ref in _residency(before).items() ^ _residency(status).items():
            self._tell(ref[0])

    def forget(self) -> None:
        """Everything the bus told, before it is told anew."""
        self._statuses.clear()
        self._written_seq.clear()
        self.replicas.clear()

    def _tell(self, ref: ModelRef) -> None:
        manifest = self.catalogue.get(ref.model)
        if manifest and ref.variant in manifest.variants:
            self.model_changed(Model(ref, manifest, manifest.variants[ref.variant]))

    # What the API asks.

    def find(self, model_id: str, variant: str | None = None) -> Model:
        """Raises: InvalidRequest, ModelNotFound, VariantNotFound."""
        return self.catalogue.find(model_id, variant)

    def find_installed(self, model_id: str) -> Model:
        """One that can speak, also while it is repaired.

        Raises: as find(), ModelNotInstalled, ModelDamaged.
        """
        model = self.find(model_id)
        status = self.status(model.ref)
        if status.state is InstallState.DAMAGED:
            raise ModelDamaged(
                f"{model.ref.id!r} is damaged",
                hint=f"Repair it: POST /api/models/{model.ref.id}/repair.",
                param="model",
            )
        if not status.is_usable:
            raise ModelNotInstalled(
                f"{model.ref.id!r} is not installed, it is {status.state}",
                hint=f"Install it first: POST /api/models/{model.ref.id}/pull.",
                param="model",
            )
        return model

    def status(self, ref: ModelRef) -> ModelStatus:
        """What is known of the model; absent when nothing is."""
        known = self._statuses.get(ref)
        return known or ModelStatus(model=ref.model, variant=ref.variant, state=InstallState.ABSENT)

    def status_of_job(self, ref: ModelRef, job: str) -> ModelStatus | None:
        """How the pull ended, else where it is now; None when nothing is known of it."""
        status = self.status(ref)
        return self._ended.get(job) or (status if status.job == job else None)

    def models(self, *, installed: bool = False) -> Iterator[Model]:
        for model in self.catalogue.models():
            if not installed or self.status(model.ref).is_usable:
                yield model

    def views(self, *, installed: bool = False) -> list[ModelView]:
        return [self.view(model) for model in self.models(installed=installed)]

    def view(self, model: Model) -> ModelView:
        ref, manifest, variant = model
        status = self.status(ref)
        return ModelView(
            id=ref.id,
            name=ref.model,
            variant=ref.variant,
            is_default=manifest.defaults.variant == ref.variant,
            description=manifest.description,
            backend=manifest.backend,
            license=manifest.license_of(ref.variant),
            gated=variant.gated,
            capabilities=list(variant.capabilities),
            languages=list(variant.languages),
            voices=[
                VoiceView(id=voice.id, name=voice.name or voice.id, language=voice.language)
                for voice in variant.voices
            ],
            sample_rate=manifest.defaults.sample_rate,
            size_bytes=variant.size_bytes,
            memory_bytes=variant.memory,
            state=status.state,
            job=status.job,
            transfer=(
                TransferView.of(status.transfer)
                if status.transfer and status.state.is_active
                else None
            ),
            reason=status.reason if status.state.is_active else "",
            installed_bytes=status.size_bytes,
            revision=status.revision,
            changed_at=status.changed_at,
            error=body_of(status.error) if status.error else None,
            loaded=[view for view in self.loaded() if view.id == ref.id],
        )

    def loaded(self) -> list[LoadedView]:
        return [
            LoadedView.of(replica, loaded)
            for replica in self.replicas.values()
            for loaded in replica.models
        ]

    def replica_views(self) -> list[ReplicaView]:
        return [ReplicaView.of(replica) for replica in self.replicas.values()]


def _residency(replica: ReplicaStatus | None) -> dict[ModelRef, tuple[str, str, int]]:
    """What of a replica shows in the view of a model, without what changes all the time."""
    models = replica.models if replica else ()
    return {loaded.ref: (loaded.state, loaded.device, loaded.memory_bytes) for loaded in models}
