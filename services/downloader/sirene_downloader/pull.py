"""One pull, from its command to an installed model."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from sirene_downloader import volume
from sirene_downloader.draft import Draft, Origin
from sirene_downloader.fetch import Fetch
from sirene_downloader.finishing import finish
from sirene_downloader.hub import Hub, Resolved
from sirene_downloader.lease import Lease
from sirene_downloader.part import Part
from sirene_downloader.remote import RemoteFile
from sirene_downloader.report import Report
from sirene_downloader.request import Client
from sirene_downloader.settings import Limits
from sirene_downloader.sources import FileFailed, origin_of
from sirene_downloader.staging import Staging
from sirene_downloader.volume import volume_errors
from sirene_shared import __version__
from sirene_shared.errors import (
    DiskFull,
    ModelDamaged,
    ModelNotInstalled,
    PullError,
)
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
    client: Client
    executor: Executor
    limits: Limits

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
        sources = work.hub.sources()
        files = await sources.all(resolved.files, partial(self._move, draft, {}))
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
        needed = total - kept + SPARE_BYTES
        if needed > free:
            raise DiskFull(
                f"{self._model.ref.id!r} needs {needed} bytes more, and the volume has {free}"
                " bytes free",
                hint="Free some space and pull again.",
            )

    async def _move(
        self,
        draft: Draft,
        fetched: dict[str, RecordedFile],
        files: Sequence[RemoteFile],
        limits: Limits,
        wrong: frozenset[str],
    ) -> list[RecordedFile]:
        """Every file, from where it is said to be now. Raises: FileFailed."""
        for file in files:
            if file.path in fetched:
                continue
            try:
                fetched[file.path] = await self._fetch(draft, file, limits, file.path in wrong)
            except PullError as error:
                raise FileFailed(file.path, error) from error
        return [fetched[file.path] for file in files]

    async def _fetch(
        self, draft: Draft, remote: RemoteFile, limits: Limits, is_wrong: bool
    ) -> RecordedFile:
        """is_wrong: what is here of the file."""
        work, report = self._work, self._report
        noted, source = draft.origin(remote.path), origin_of(remote.url)

        async def etag_seen(etag: str) -> None:
            now = Origin(
                size=remote.size,
                digests=remote.digests,
                commit=remote.commit,
                etag=etag,
                source=source,
            )
            await work.on_disk(draft.note, remote.path, now)

        async with Part(draft.tree / remote.path, remote, work.executor) as part:
            report.work_on(remote.path, Phase.VERIFYING)
            await part.recall(report.step)
            if part.position and (is_wrong or not _goes_on(remote, noted, source)):
                report.lose(part.position)
                await part.restart()
            report.work_on(remote.path, Phase.DOWNLOADING)
            is_the_same = noted is not None and noted.source == source
            fetch = Fetch(
                work.client,
                remote,
                part,
                report,
                limits,
                # An ETag means something to the origin that gave it, and to no other.
                etag=noted.etag if noted and is_the_same and part.position else "",
                etag_seen=etag_seen,
            )
            sha256 = await fetch.run()
        return RecordedFile(path=remote.path, size=remote.size, sha256=sha256)

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


def _goes_on(remote: RemoteFile, noted: Origin | None, source: str) -> bool:
    """What is here of the file may be continued from `source`.

    Where a sha256 shows whether the whole is right, the parts may be from anywhere.
    """
    is_known = any(digest.algorithm == "sha256" for digest in remote.digests)
    return is_known or noted is None or noted.source == source
