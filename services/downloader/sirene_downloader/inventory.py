"""What is on the volume, told to the bucket: at start, and whenever the bus is new."""

import logging
from contextlib import suppress
from pathlib import Path

from nats.js import JetStreamContext

from sirene_downloader import volume
from sirene_downloader.adoption import adopt
from sirene_downloader.backlog import Backlog
from sirene_downloader.checking import check_all, expected_of
from sirene_downloader.jobs import Jobs
from sirene_downloader.pull import Workshop
from sirene_downloader.states import States
from sirene_shared.errors import Failure, ModelDamaged, ModelNotInstalled, PullError
from sirene_shared.manifest import Catalogue
from sirene_shared.messages import InstallState, ModelStatus
from sirene_shared.names import ModelRef
from sirene_shared.store import RECORD_NAME, InstallRecord

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
        # What only a look into the files shows, for the directory (by inode) that it was seen in.
        self._faults: dict[ModelRef, tuple[int, Failure]] = {}

    async def look(self, ref: ModelRef) -> bool:
        """Look into one model that may have been altered by hand, and tell what it is now.

        False: it is to be looked at again, as somebody works on it or spoke of it meanwhile.
        Raises: BusUnavailable.
        """
        store = self._workshop.store
        # Before all that is looked at: what another says meanwhile is newer than what we saw.
        known = await self._states.read(ref)
        wanted = await self._backlog.pull(ref) is not None
        if wanted or await self._is_in_work(ref):
            return False
        folder = store.directory(ref)
        inode = await self._workshop.on_disk(_inode, folder)
        self._faults.pop(ref, None)
        if inode is not None:
            try:
                await self._look_into(ref)
            except (ModelDamaged, PullError) as error:
                self._faults[ref] = inode, error.failure()
        found = await self._on_volume(ref) if inode is not None else None
        return await self._correct(ref, known, found, is_wanted=False)

    async def _look_into(self, ref: ModelRef) -> None:
        """Adopt what has no record, hash what is newer than its record.

        Raises: ModelDamaged, PullError, BusUnavailable.
        """
        work = self._workshop
        record = await work.on_disk(work.store.record, ref)
        if record is None:
            if self._is_known(ref):
                await adopt(self._js, work, self._catalogue.find(ref.model, ref.variant))
            return
        folder = work.store.directory(ref)
        newer = await work.on_disk(newer_than_record, folder, record)
        if not newer:
            return
        files = [file for file in expected_of(record) if file.path in newer]
        verdicts = await check_all(folder, files, work.executor)
        for path, verdict in verdicts.items():
            if not verdict.is_good:
                raise ModelDamaged(
                    f"{path!r} of {ref.id!r} is not what was installed:"
                    f" {verdict.state.replace('_', ' ')}",
                    hint=f"Repair it: sirene repair {ref.id}, or POST /api/models/{ref.id}/repair.",
                )
        # Right after all: not to be hashed again.
        await work.on_disk(volume.touch, folder / RECORD_NAME, max(newer.values()))

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
            known = await self._states.read(ref)
            is_there = await self._workshop.on_disk(_inode, store.directory(ref)) is not None
            found = await self._on_volume(ref) if is_there else None
            installed += found is not None and found.state is InstallState.INSTALLED
            await self._correct(ref, known, found, is_wanted=ref in waiting)
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
        inode, fault = self._faults.get(ref, (None, None))
        if fault and inode == await self._workshop.on_disk(_inode, store.directory(ref)):
            error = fault
        return ModelStatus(
            model=ref.model,
            variant=ref.variant,
            state=InstallState.DAMAGED if error else InstallState.INSTALLED,
            size_bytes=size_bytes,
            revision=revision,
            error=error,
        )

    async def _correct(
        self,
        ref: ModelRef,
        known: tuple[ModelStatus | None, int],
        found: ModelStatus | None,
        *,
        is_wanted: bool,
    ) -> bool:
        """known: the state and its revision, read before the volume was.

        False: somebody else speaks of the model now. Raises: BusUnavailable.
        """
        status, revision = known
        if status is not None and status.state.is_active:
            if is_wanted or await self._is_in_work(ref):
                return False
            if await self._backlog.pull(ref) is not None:
                return False  # asked for since we began to look
        elif found is None:
            if status is None:
                return True
            if status.state in (InstallState.FAILED, InstallState.ABSENT):
                if not self._is_known(ref):
                    await self._states.forget(ref, revision)
                return True
        elif status is not None and _says_the_same(status, found):
            return True
        return await self._states.put(found or _lost(ref, status), last=revision) is not None

    def _is_known(self, ref: ModelRef) -> bool:
        manifest = self._catalogue.get(ref.model)
        return manifest is not None and ref.variant in manifest.variants

    async def _is_in_work(self, ref: ModelRef) -> bool:
        """Here, or by whoever has the lease."""
        if self._jobs.running(ref) is not None:
            return True
        return await self._states.is_leased(ref)


def _says_the_same(status: ModelStatus, found: ModelStatus) -> bool:
    if found.error and (status.error is None or status.error.message != found.error.message):
        return False
    return (status.state, status.size_bytes, status.revision) == (
        found.state,
        found.size_bytes,
        found.revision,
    )


def _inode(folder: Path) -> int | None:
    """None when there is no such directory."""
    return folder.stat().st_ino if folder.is_dir() and not folder.is_symlink() else None


def newer_than_record(folder: Path, record: InstallRecord) -> dict[str, int]:
    """The files that were written to after the record was, and when. Blocks."""
    times = {}
    limit = (folder / RECORD_NAME).stat().st_mtime_ns
    for file in record.files:
        with suppress(OSError):
            written = (folder / file.path).lstat().st_mtime_ns
            if written > limit:
                times[file.path] = written
    return times


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
