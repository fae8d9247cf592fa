"""A file that somebody brings: laid into the model's draft, which is the one that a pull would work
on.

So what was brought and never installed is seen, counted and collected like what is left of a pull;
and a pull goes on with it.

    <draft>/incoming        the file that is on its way
"""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from nats.aio.client import Client

from sirene_downloader import space, volume
from sirene_downloader.custody import Custody
from sirene_downloader.draft import Draft, Origin
from sirene_downloader.pull import SPARE_BYTES, Workshop, no_room
from sirene_downloader.remote import Digest
from sirene_downloader.transfer.segments import Ranges
from sirene_shared import upload_stream
from sirene_shared.errors import FilesRefused, LeaseLost, PullError
from sirene_shared.imports import UploadRequest
from sirene_shared.manifest import Catalogue, ManifestFile, Model

log = logging.getLogger(__name__)

INCOMING_NAME = "incoming"
WRITE_BYTES = 1 << 20


class Bringing:
    def __init__(
        self, nc: Client, catalogue: Catalogue, workshop: Workshop, custody: Custody
    ) -> None:
        self._nc = nc
        self._catalogue = catalogue
        self._work = workshop
        self._custody = custody

    async def receive(self, asked: UploadRequest, inbox: str) -> None:
        """Raises: SireneError."""
        work, ref = self._work, asked.ref
        file = _wanted(self._catalogue.find(asked.model, asked.variant), asked)
        async with AsyncExitStack() as until_said:
            async with self._custody.of(ref) as (lease, draft):
                needed, room = await work.on_disk(_reserve, work, draft, asked)
                if needed > room.left:
                    raise no_room(ref, needed, room)
                incoming = draft.tree.parent / INCOMING_NAME
                frames = await until_said.enter_async_context(
                    upload_stream.receiving(self._nc, inbox, asked.size_bytes)
                )
                try:
                    await self._write(incoming, frames)
                    await lease.confirm()
                    await work.on_disk(_place, draft, file, incoming, asked.size_bytes)
                finally:
                    with suppress(PullError):
                        await work.on_disk(incoming.unlink, missing_ok=True)
            # Only now: the next file may come at once.
            await upload_stream.say_done(self._nc, inbox)
        log.info("%r of %s was brought: %d bytes", asked.path, ref.id, asked.size_bytes)

    async def _write(self, path: Path, frames: AsyncIterator[bytes]) -> None:
        """Raises: UploadBroken, DiskFull, VolumeUnwritable."""
        on_disk, held = self._work.on_disk, bytearray()
        target = await on_disk(_open_new, path)
        try:
            async for frame in frames:
                held += frame
                if len(held) >= WRITE_BYTES:
                    await on_disk(_write_all, target, bytes(held))
                    held.clear()
            await on_disk(_write_all, target, bytes(held))
            await on_disk(os.fsync, target)
        finally:
            os.close(target)


def _wanted(model: Model, asked: UploadRequest) -> ManifestFile:
    """Raises: FilesRefused."""
    files = {file.path: file for file in model.variant.file_list}
    file = files.get(asked.path)
    if file is None:
        raise FilesRefused(
            f"{model.ref.id!r} has no file {asked.path!r}",
            hint=f"It has: {', '.join(list(files)[:20])}.",
            param="path",
        )
    if file.size is not None and file.size != asked.size_bytes:
        raise FilesRefused(
            f"{asked.path!r} of {model.ref.id!r} has {file.size} bytes,"
            f" and this file has {asked.size_bytes}",
            hint="It is another file, or another version of it.",
            param="path",
        )
    return file


def _reserve(work: Workshop, draft: Draft, asked: UploadRequest) -> tuple[int, space.Room]:
    (draft.tree.parent / INCOMING_NAME).unlink(missing_ok=True)
    here = space.allocated_bytes(draft.tree)
    total = here + asked.size_bytes
    return space.reserve(work.staging, draft.tree.parent, total, here, SPARE_BYTES)


def _write_all(descriptor: int, body: bytes) -> None:
    view = memoryview(body)
    while view:
        view = view[os.write(descriptor, view) :]


def _open_new(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o666)


def _place(draft: Draft, file: ManifestFile, incoming: Path, size_bytes: int) -> None:
    """Where it belongs, and noted so that a pull goes on with it. Raises: LeaseLost, OSError."""
    if not draft.is_ours():
        raise LeaseLost("another downloader has taken the files over", hint="Send it again.")
    part = draft.tree / file.path
    part.parent.mkdir(parents=True, exist_ok=True)
    ranges = draft.ranges(file.path)
    ranges.remove()
    incoming.rename(part)
    volume.sync_directory(part.parent)
    if file.sha256:
        digests = (Digest("sha256", file.sha256),)
        draft.note(file.path, Origin(size=size_bytes, digests=digests))
        ranges.begin(Ranges([(0, size_bytes)]))
        ranges.close()
