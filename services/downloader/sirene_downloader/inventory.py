"""What is on the volume, told to the bucket: at start, and whenever the bus is new."""

import logging

from nats.js import JetStreamContext

from sirene_downloader.backlog import Backlog
from sirene_downloader.jobs import Jobs
from sirene_downloader.pull import Workshop
from sirene_downloader.states import States
from sirene_shared.errors import ModelDamaged, ModelNotInstalled, PullError
from sirene_shared.manifest import Catalogue
from sirene_shared.messages import InstallState, ModelStatus
from sirene_shared.names import ModelRef

log = logging.getLogger(__name__)


class Inventory:
    def __init__(
        self,
        js: JetStreamContext,
        states: States,
        backlog: Backlog,
        jobs: Jobs,
        catalogue: Catalogue,
        workshop: Workshop,
    ) -> None:
        self._js = js
        self._states = states
        self._backlog = backlog
        self._jobs = jobs
        self._catalogue = catalogue
        self._workshop = workshop

    async def reconcile(self) -> int:
        """Make every state say what is; the number of models installed. Raises: BusUnavailable."""
        store = self._workshop.store
        waiting = {pull.command.ref async for pull in self._backlog.pulls()}
        for ref in waiting:
            await self._backlog.announce(ref)
        try:
            lying = set(await self._workshop.on_disk(lambda: list(store.directories())))
        except PullError as error:
            log.warning("%s", error.message)
            return 0
        installed = 0
        for ref in lying | await self._states.models():
            found = await self._on_volume(ref) if ref in lying else None
            installed += found is not None and found.state is InstallState.INSTALLED
            await self._correct(ref, found, is_wanted=ref in waiting)
        return installed

    async def _on_volume(self, ref: ModelRef) -> ModelStatus:
        """The state that the variant's directory alone accounts for."""
        store = self._workshop.store
        error = None
        size_bytes, revision = 0, ""
        try:
            record = await self._workshop.on_disk(store.record, ref)
            await self._workshop.on_disk(store.installed_files, ref)
            if record is not None:
                size_bytes, revision = record.size_bytes, record.revision
        except ModelNotInstalled:
            error = ModelDamaged(
                f"the files of {ref.id!r} have no install record", hint="Pull it to repair it."
            ).failure()
        except (ModelDamaged, PullError) as problem:
            error = problem.failure()
        return ModelStatus(
            model=ref.model,
            variant=ref.variant,
            state=InstallState.DAMAGED if error else InstallState.INSTALLED,
            size_bytes=size_bytes,
            revision=revision,
            error=error,
        )

    async def _correct(self, ref: ModelRef, found: ModelStatus | None, *, is_wanted: bool) -> None:
        """Raises: BusUnavailable."""
        status, revision = await self._states.read(ref)
        if status is not None and status.state.is_active:
            if is_wanted or await self._is_in_work(ref):
                return
        elif found is None:
            if status is None:
                return
            if status.state in (InstallState.FAILED, InstallState.ABSENT):
                if not self._is_known(ref):
                    await self._states.forget(ref, revision)
                return
        elif status is not None and _says_the_same(status, found):
            return
        await self._states.put(found or _lost(ref, status), last=revision)

    def _is_known(self, ref: ModelRef) -> bool:
        manifest = self._catalogue.get(ref.model)
        return manifest is not None and ref.variant in manifest.variants

    async def _is_in_work(self, ref: ModelRef) -> bool:
        """Here, or by whoever has the lease."""
        if self._jobs.running(ref) is not None:
            return True
        return await self._states.is_leased(ref)


def _says_the_same(status: ModelStatus, found: ModelStatus) -> bool:
    return (status.state, status.size_bytes, status.revision) == (
        found.state,
        found.size_bytes,
        found.revision,
    )


def _lost(ref: ModelRef, status: ModelStatus | None) -> ModelStatus:
    """Not on the volume: a pull whose command is gone has failed, anything else was removed."""
    if status is None or not status.state.is_active:
        return ModelStatus(model=ref.model, variant=ref.variant, state=InstallState.ABSENT)
    error = PullError(
        f"the pull of {ref.id!r} was lost with the bus's store",
        hint="Pull again: it goes on where it stopped.",
    )
    return ModelStatus(
        model=ref.model,
        variant=ref.variant,
        state=InstallState.FAILED,
        job=status.job,
        seq=status.seq + 1,
        transfer=status.transfer,
        error=error.failure(),
    )
