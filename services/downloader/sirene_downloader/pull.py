"""One pull, from its command to an installed model."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from sirene_downloader import shelf, space, volume
from sirene_downloader.checking import check_all, expected_of
from sirene_downloader.draft import Draft
from sirene_downloader.finishing import finish
from sirene_downloader.hub import Hub, Resolved
from sirene_downloader.lease import Lease
from sirene_downloader.record import record_of
from sirene_downloader.remote import RemoteFile
from sirene_downloader.report import Report
from sirene_downloader.settings import Limits
from sirene_downloader.staging import Staging
from sirene_downloader.transfer.model import ModelTransfer
from sirene_downloader.transfer.wire import Wire
from sirene_downloader.volume import volume_errors
from sirene_shared.errors import DiskFull, ModelDamaged, ModelNotInstalled, PullError
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
        *,
        repair: bool = False,
    ) -> None:
        """committing: called right before what cannot be undone.
        repair: look into the files even when they seem to be right."""
        self._work = workshop
        self._model = model
        self._lease = lease
        self._report = report
        self._committing = committing
        self._repair = repair

    async def run(self) -> InstallRecord:
        """Raises: SireneError."""
        work, ref = self._work, self._model.ref
        record, is_current = await self._installed()
        if record is not None and is_current and not self._repair:
            await work.on_disk(work.staging.discard, ref)
            return record
        await self._report.enter(InstallState.DOWNLOADING)
        # The disk first: a volume that cannot be written is known before the hub is asked.
        draft = await work.on_disk(work.staging.draft, ref)
        # Until now one that had the lease before may have finished; from now on it cannot.
        record, is_current = await self._installed()
        if record is not None and is_current and not self._repair:
            await work.on_disk(work.staging.discard, ref)
            return record
        try:
            resolved = await work.hub.resolve(self._model, self._report.resting)
        except PullError:
            if record is None or not (is_current and await self._is_sound(record)):
                raise
            await work.on_disk(work.staging.discard, ref)
            return record
        try:
            here = await self._prepare(draft, resolved)
            if (
                record is not None
                and is_current
                and all(file.path in here and here[file.path].is_own for file in record.files)
            ):
                await work.on_disk(work.staging.discard, ref)
                return record
            files = await self._fetch(draft, resolved.files, here)
            record = record_of(self._model, resolved.revision, files)
            self._report.work_on("", Phase.INSTALLING)
            await self._report.enter(InstallState.VERIFYING)
            await work.on_disk(draft.finish, record)
            await self._lease.confirm()
            self._committing()
            await work.on_disk(self._commit, draft, work.store.directory(ref), work.staging.trash())
            return record
        finally:
            with suppress(PullError):
                await work.on_disk(space.release, draft.tree.parent)

    async def _installed(self) -> tuple[InstallRecord | None, bool]:
        """What is on the volume, and whether it is what the manifest wants."""
        record = await self._work.installed(self._model.ref)
        return record, record is not None and record.manifest_digest == self._model.digest

    async def _is_sound(self, record: InstallRecord) -> bool:
        """The hub does not answer; but nothing is wanted of it if every file is right."""
        self._report.work_on("", Phase.VERIFYING)
        verdicts = await check_all(
            self._work.store.directory(self._model.ref),
            expected_of(record),
            self._work.executor,
            self._report.step,
        )
        return all(verdict.is_good for verdict in verdicts.values())

    def _commit(self, draft: Draft, target: Path, trash: Path) -> None:
        volume.put_in_place(draft.tree, target, trash)
        draft.remove()
        volume.remove(trash)

    async def _prepare(self, draft: Draft, resolved: Resolved) -> dict[str, shelf.Taken]:
        """Take what the volume has already, and reserve the space for the rest.

        Raises: DiskFull with the two numbers, before the first byte.
        """
        work, ref = self._work, self._model.ref
        total = sum(file.size for file in resolved.files)
        await work.on_disk(shelf.drop_links, draft.tree)
        kept = await work.on_disk(draft.prepare, resolved.files)
        self._report.expect(total, kept)
        here: dict[str, shelf.Taken] = {}
        offers = await work.on_disk(shelf.Shelf, work.store, ref)
        for file in resolved.files:
            self._report.work_on(file.path, Phase.VERIFYING)
            part_bytes = await work.on_disk(draft.kept_bytes, file.path)
            taken = await shelf.take(
                *(offers, draft.tree, file, work.executor, self._report.step),
                room=lambda: space.look(work.staging, ref.key).left - SPARE_BYTES,
            )
            if taken is not None:
                here[file.path] = taken
                await work.on_disk(draft.ranges(file.path).remove)
                kept += file.size - part_bytes
                self._report.expect(total, kept)
        needed, room = await work.on_disk(
            lambda: space.reserve(work.staging, draft.tree.parent, total, kept, SPARE_BYTES)
        )
        if needed > room.left:
            raise no_room(ref, needed, room)
        return here

    async def _fetch(
        self, draft: Draft, wanted: Sequence[RemoteFile], here: dict[str, shelf.Taken]
    ) -> list[RecordedFile]:
        """All that is wanted; what was taken is not even opened: it may be another model's too."""
        missing = [file for file in wanted if file.path not in here]
        files = {path: taken.file for path, taken in here.items()}
        if missing:
            fetched = await self._work.hub.sources().all(missing, partial(self._move, draft))
            files |= {file.path: file for file in fetched}
        return [files[file.path] for file in wanted]

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


def no_room(ref: ModelRef, needed: int, room: space.Room) -> DiskFull:
    others = f", of which running pulls take {room.reserved}" if room.reserved else ""
    return DiskFull(
        f"{ref.id!r} needs {needed} bytes more, and the volume has {room.free} bytes free{others}",
        hint="Free some space and pull again.",
    )
