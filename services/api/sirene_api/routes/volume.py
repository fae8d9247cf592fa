"""The files on the volume: verified, repaired, and what is left of pulls that did not end."""

from typing import Annotated

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter

from sirene_api.answers import PullView
from sirene_api.catalog import Catalog
from sirene_api.downloaders import Downloaders
from sirene_api.inquiries import Inquiries
from sirene_api.pulls import Pulls, new_job
from sirene_api.routes.documented import errors
from sirene_api.volume_answers import PartList, StorageView, VerificationView

OneModel = Annotated[str | None, QueryParameter(description="Of this model alone.")]


@post(
    "/api/models/{model_id:str}/verify",
    status_code=200,
    tags=["volume"],
    responses=errors(403, 404, 409),
)
async def verify_model(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    inquiries: NamedDependency[Inquiries],
) -> VerificationView:
    """Hash every file of the install against its record and the manifest; nothing is changed."""
    return await inquiries.verify(catalog.find(model_id), new_job())


@post(
    "/api/models/{model_id:str}/repair",
    status_code=202,
    tags=["volume"],
    responses={
        200: ResponseSpec(PullView, description="A pull runs already.", generate_examples=False),
        **errors(403, 404),
    },
)
async def repair_model(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    pulls: NamedDependency[Pulls],
) -> Response[PullView]:
    """Hash every file and fetch only the bad ones: a pull, which is followed like any other."""
    pull, is_new = await pulls.start(catalog.find(model_id), repair=True)
    return Response(pull, status_code=202 if is_new else 200)


@get("/api/storage", tags=["volume"], responses=errors())
async def show_storage(downloaders: NamedDependency[Downloaders]) -> StorageView:
    """How full each volume is, and of what."""
    return await downloaders.storage()


@get("/api/downloads/parts", tags=["volume"], responses=errors(404))
async def list_parts(
    catalog: NamedDependency[Catalog],
    inquiries: NamedDependency[Inquiries],
    model: OneModel = None,
) -> PartList:
    """What is left of pulls that did not end with an install."""
    return await inquiries.parts(delete=False, ref=catalog.find(model).ref if model else None)


@delete("/api/downloads/parts", status_code=200, tags=["volume"], responses=errors(403, 404))
async def delete_parts(
    catalog: NamedDependency[Catalog],
    inquiries: NamedDependency[Inquiries],
    model: OneModel = None,
) -> PartList:
    """Remove what no pull uses or waits for, and say what that was."""
    return await inquiries.parts(delete=True, ref=catalog.find(model).ref if model else None)
