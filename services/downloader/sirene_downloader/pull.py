"""One pull, from its command to an installed model."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from sirene_downloader import volume
from sirene_downloader.draft import Draft
from sirene_downloader.finishing import finish
from sirene_downloader.hub import Hub, Resolved
from sirene_downloader.lease import Lease
from sirene_downloader.remote import RemoteFile
from sirene_downloader.report import Report
from sirene_downloader.settings import Limits
from sirene_downloader.staging import Staging
from sirene_downloader.transfer.model import ModelTransfer
from sirene_downloader.transfer.wire import Wire
from sirene_downloader.volume import volume_errors
from sirene_shared import __version__
from sirene_shared.errors import DiskFull, ModelDamaged, ModelNotInstalled
from sirene_shared.manifest import Model
from sirene_shared.messages import InstallState, Phase
from sirene_shared.names import ModelRef
from sirene_shared.store import InstallRecord, RecordedFile, Store

# Directories, the journal and the record need a little beside the files.
SPARE_BYTES = 256 << 10

P = ParamSpec("P")
T = TypeVar("T")


class Workshop(NamedTuple):
    """What every pull of this downloader works with."""

    store: Store
    staging: Staging
    hub: Hub
    wire: Wire
    executor: Executor

    async def on_disk(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what touches the volume in a thread, and be done with it even when cancelled.

        Raises: DiskFull, VolumeUnwritable.
        """

        async def in_thread() -> T:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.executor, lambda: work(*args, **kwargs))

        with volume_errors():
            return await finish(in_thread())

    async def installed(self, ref: ModelRef) -> InstallRecord | None:
        """The record of what is on the volume; None also when that is damaged."""
        try:
            await self.on_disk(self.store.installed_files, ref)
            return await self.on_disk(self.store.record, ref)
        except (ModelNotInstalled, ModelDamaged):
            return None


class Pull:
    """Runs under the model's lease; its staging is its writer's alone."""

    def __init__(
        self,
        workshop: Workshop,
        model: Model,
        lease: Lease,
        report: Report,
        committing: Callable[[], None],
    ) -> None:
        """committing: called right before what cannot be undone."""
        self._work = workshop
        self._model = model
        self._lease = lease
        self._report = report
        self._committing = committing

    async def run(self) -> InstallRecord:
        """Raises: SireneError."""
        work, ref = self._work, self._model.ref
        record = await work.installed(ref)
        if record is not None and record.manifest_digest == self._model.digest:
            await work.on_disk(work.staging.discard, ref)
            return record
        await self._report.enter(InstallState.DOWNLOADING)
        # The disk first: a volume that cannot be written is known before the hub is asked.
        draft = await work.on_disk(work.staging.draft, ref)
        resolved = await work.hub.resolve(self._model, self._report.resting)
        await self._check_space(draft, resolved)
        moving = partial(self._move, draft)
        files = await work.hub.sources().all(resolved.files, moving)
        record = self._record(resolved, files)
        self._report.work_on("", Phase.INSTALLING)
        await self._report.enter(InstallState.VERIFYING)
        await work.on_disk(draft.finish, record)
        await self._lease.confirm()
        self._committing()
        await work.on_disk(self._commit, draft, work.store.directory(ref), work.staging.trash())
        return record

    def _commit(self, draft: Draft, target: Path, trash: Path) -> None:
        volume.put_in_place(draft.tree, target, trash)
        draft.remove()
        volume.remove(trash)

    async def _check_space(self, draft: Draft, resolved: Resolved) -> None:
        """Raises: DiskFull with the two numbers, before the first byte."""
        total = sum(file.size for file in resolved.files)
        kept = await self._work.on_disk(draft.prepare, resolved.files)
        self._report.expect(total, kept)
        free = await self._work.on_disk(volume.free_bytes, self._work.store.root)
        needed = total - draft.reserved_bytes + SPARE_BYTES
        if needed > free:
            raise DiskFull(
                f"{self._model.ref.id!r} needs {needed} bytes more, and the volume has {free}"
                " bytes free",
                hint="Free some space and pull again.",
            )

    async def _move(
        self, draft: Draft, files: Sequence[RemoteFile], limits: Limits, wrong: frozenset[str]
    ) -> list[RecordedFile]:
        """Every file, from where it is said to be now; wrong: paths whose bytes so far are.

        Raises: FileFailed, PullError.
        """
        work = self._work
        transfer = ModelTransfer(
            work.wire, work.executor, draft, files, self._report, limits=limits, wrong=wrong
        )
        return await transfer.run()

    def _record(self, resolved: Resolved, files: list[RecordedFile]) -> InstallRecord:
        model = self._model
        return InstallRecord(
            model=model.ref.model,
            variant=model.ref.variant,
            manifest_digest=model.digest,
            revision=resolved.revision,
            files=tuple(files),
            installed_at=time.time(),
            sirene_version=__version__,
            license=model.manifest.license_of(model.ref.variant),
        )
