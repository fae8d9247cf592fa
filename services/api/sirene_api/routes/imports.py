"""Files that somebody brings, for machines without the internet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from sirene_api.catalog import Catalog
from sirene_api.identification import Brought, identify
from sirene_api.import_answers import Identified, ImportView, UploadView
from sirene_api.imports import Imports
from sirene_api.pulls import new_job
from sirene_api.routes.documented import errors
from sirene_shared.errors import SireneError, UploadBroken

OCTETS = "application/octet-stream"
# A browser that is answered in the middle of what it sends shows no answer, but a broken
# connection: what is refused is heard to its end, unless that is far.
DRAIN_S = 60.0
DRAIN_BYTES = 1 << 30


class BroughtFile(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=1000)]
    """With `/` where it lies in a folder."""
    size_bytes: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")] | None = None


class IdentifyBody(msgspec.Struct, frozen=True, kw_only=True):
    files: Annotated[list[BroughtFile], Meta(min_length=1, max_length=1000)]
    model: str | None = None
    """Of this model alone."""


@dataclass
class Upload(Operation):
    """The bytes of a file as the body of a request."""

    def __post_init__(self) -> None:
        octets = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody(
            content={OCTETS: OpenAPIMediaType(octets)},
            description="The bytes of the file, with their Content-Length.",
            required=True,
        )


@post(
    "/api/models/identify", status_code=200, tags=["import"], responses=errors(403, 404, 413, 415)
)
async def identify_files(
    data: JSONBody[IdentifyBody], catalog: NamedDependency[Catalog]
) -> Identified:
    """Which models the files belong to, by name, length and hash; nothing is sent or kept."""
    files = [
        Brought(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)
        for file in data.files
    ]
    models = catalog.catalogue.models() if data.model is None else [catalog.find(data.model)]
    return identify(models, files)


@put(
    "/api/models/{model_id:str}/files/{file_path:path}",
    status_code=200,
    request_max_body_size=None,
    operation_class=Upload,
    tags=["import"],
    responses=errors(403, 404, 409, 411, 413, 415, 422, 502, 507),
)
async def upload_file(
    model_id: FromPath[str],
    file_path: FromPath[str],
    request: Request[Any, Any, Any],
    catalog: NamedDependency[Catalog],
    imports: NamedDependency[Imports],
) -> UploadView:
    """Send one file of the model, to be installed with the others by `…/import`.

    It replaces one of the same path that was sent before. One file of a model at a time.
    """
    length = request.content_length
    body = _Body(request, length or 0)
    try:
        model = catalog.find(model_id)
        if length is None:
            raise HTTPException(status_code=411)
        return await imports.upload(model, file_path.removeprefix("/"), length, body.chunks())
    except (SireneError, HTTPException):
        await body.drain()
        raise


@post(
    "/api/models/{model_id:str}/import",
    status_code=200,
    tags=["import"],
    responses=errors(403, 404, 409, 422, 507),
)
async def import_model(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    imports: NamedDependency[Imports],
) -> ImportView:
    """Verify the files that were sent, and install the model of them; or name those that are wrong.

    It answers when that is done.
    """
    return await imports.install(catalog.find(model_id), new_job())


class _Body:
    """Of a request, as it comes."""

    def __init__(self, request: Request[Any, Any, Any], size_bytes: int) -> None:
        self._stream = request.stream()
        self._left = size_bytes

    async def chunks(self) -> AsyncIterator[bytes]:
        """Raises: UploadBroken when the client leaves."""
        try:
            async for chunk in self._stream:
                self._left -= len(chunk)
                yield chunk
        except HTTPException as error:
            raise UploadBroken("the client has left") from error
        if self._left:
            raise UploadBroken("the client has left before the end")

    async def drain(self) -> None:
        if self._left > DRAIN_BYTES:
            return
        with suppress(TimeoutError, HTTPException, RuntimeError):
            async with asyncio.timeout(DRAIN_S):
                async for _ in self._stream:
                    pass
