"""Models in memory: load ahead, and free."""

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from sirene_api.answers import LoadAnswer, UnloadAnswer
from sirene_api.catalog import Catalog
from sirene_api.link import BusLink
from sirene_api.memory import Memory
from sirene_api.routes.documented import errors
from sirene_shared.errors import InvalidRequest


class UnloadBody(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two."""

    model: str | None = None
    all: bool = False


@post(
    "/api/models/{model_id:str}/load",
    status_code=200,
    tags=["memory"],
    responses=errors(403, 404, 409),
)
async def load_model(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    link: NamedDependency[BusLink],
    memory: NamedDependency[Memory],
) -> LoadAnswer:
    """Bring the model into memory, and answer when it is ready."""
    catalog.find(model_id)
    await link.wait_for_state()
    return await memory.load(catalog.find_installed(model_id).ref)


@post(
    "/api/models/{model_id:str}/unload",
    status_code=200,
    tags=["memory"],
    responses=errors(403, 404),
)
async def unload_model(
    model_id: FromPath[str], catalog: NamedDependency[Catalog], memory: NamedDependency[Memory]
) -> UnloadAnswer:
    """Free the model's memory on every replica, once its running speech has ended."""
    return await memory.unload(catalog.find(model_id).ref)


@post("/models/unload", status_code=200, tags=["memory"], responses=errors(403, 404, 415))
async def unload(
    data: JSONBody[UnloadBody], catalog: NamedDependency[Catalog], memory: NamedDependency[Memory]
) -> UnloadAnswer:
    """Free one model's memory (`{"model": "…"}`), or all of it (`{"all": true}`)."""
    if data.all == (data.model is not None):
        raise InvalidRequest('say which: {"model": "name:variant"} or {"all": true}', param="model")
    if data.model is None:
        return await memory.unload_all()
    return await memory.unload(catalog.find(data.model).ref)
