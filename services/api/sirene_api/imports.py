"""Files that somebody brings: relayed to a downloader, and installed there."""

from collections.abc import AsyncIterator

from sirene_api.following import follow
from sirene_api.import_answers import ImportView, UploadView
from sirene_api.link import BusLink
from sirene_api.volume_answers import FileCheck
from sirene_shared import upload_stream
from sirene_shared.errors import FilesRefused
from sirene_shared.imports import ImportReply, ImportRequest, UploadRequest
from sirene_shared.manifest import Model
from sirene_shared.subjects import IMPORT, UPLOAD


class Imports:
    def __init__(self, link: BusLink) -> None:
        self._link = link

    async def upload(
        self, model: Model, path: str, size_bytes: int, chunks: AsyncIterator[bytes]
    ) -> UploadView:
        """Raises: FilesRefused, ModelInUse, DiskFull, UploadBroken, BusUnavailable."""
        ref = model.ref
        check(model, path, size_bytes)
        await self._link.wait_for_state()
        request = UploadRequest(
            model=ref.model, variant=ref.variant, path=path, size_bytes=size_bytes
        )
        with self._link.asking() as client:
            await upload_stream.send(client, UPLOAD.of(ref), request.encode(), chunks)
        return UploadView(id=ref.id, path=path, size_bytes=size_bytes)

    async def install(self, model: Model, job: str) -> ImportView:
        """Raises: FilesRefused, ModelInUse, BusUnavailable, what the volume says."""
        await self._link.wait_for_state()
        ref = model.ref
        request = ImportRequest(model=ref.model, variant=ref.variant, job=job)
        told = await follow(self._link, IMPORT.all, request.encode(), ImportReply)
        return ImportView(
            id=ref.id,
            size_bytes=told.size_bytes,
            files=[
                FileCheck(path=file.path, size_bytes=file.size, state=file.state)
                for file in told.files
            ],
            unverified=list(told.unverified),
        )


def check(model: Model, path: str, size_bytes: int) -> None:
    """What the manifest tells at once. Raises: FilesRefused."""
    files = {file.path: file for file in model.variant.file_list}
    if path not in files:
        raise FilesRefused(
            f"{model.ref.id!r} has no file {path!r}",
            hint=f"It has: {', '.join(list(files)[:20])}.",
            param="path",
        )
    known = files[path].size if files[path].size is not None else model.variant.size_bytes
    is_exact = files[path].size is not None
    if known is not None and (size_bytes != known if is_exact else size_bytes > known):
        raise FilesRefused(
            f"{path!r} of {model.ref.id!r} has {known} bytes{'' if is_exact else ' at most'},"
            f" and this file has {size_bytes}",
            hint="It is another file, or another version of it.",
            param="path",
        )
