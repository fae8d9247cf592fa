"""Models in memory: load ahead, and free."""

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from sirene_api.answers import LoadAnswer, PinAnswer, UnloadAnswer
from sirene_api.catalog import Catalog
from sirene_api.link import BusLink
from sirene_api.memory import Memory
from sirene_api.openai import keep_alive_s
from sirene_api.routes.documented import errors
from sirene_shared.errors import InvalidRequest


class UnloadBody(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two."""

    model: str | None = None
    all: bool = False
    force: bool = False
    """Cut running speech off."""


@post(
    "/api/models/{model_id:str}/load",
    status_code=200,
    tags=["memory"],
    responses=errors(403, 404, 409, 501, 502, 507),
)
async def load_model(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    link: NamedDependency[BusLink],
    memory: NamedDependency[Memory],
    keep_alive: FromQuery[str | None] = None,
    pin: FromQuery[bool] = False,
) -> LoadAnswer:
    """Bring the model into memory, and answer when it is ready.

    `keep_alive`: how long it stays once it is idle: seconds, or like `5m`; `-1`: until room is
    needed. `pin`: it stays, whoever else needs room.
    """
    catalog.find(model_id)
    kept_s = keep_alive_s(keep_alive)
    await link.wait_for_state()
    ref = catalog.find_installed(model_id).ref
    return await memory.load(ref, keep_alive_s=kept_s, pin=pin)


@post(
    "/api/models/{model_id:str}/pin",
    status_code=200,
    tags=["memory"],
    responses=errors(403, 404, 409, 501, 502, 507),
)
async def pin_model(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    link: NamedDependency[BusLink],
    memory: NamedDependency[Memory],
) -> PinAnswer:
    """Keep the model in memory, loaded if it is not: it leaves neither for others nor for being
    idle, until it is unpinned or unloaded, or its replica ends."""
    catalog.find(model_id)
    await link.wait_for_state()
    return await memory.pin(catalog.find_installed(model_id).ref)


@post(
    "/api/models/{model_id:str}/unpin",
    status_code=200,
    tags=["memory"],
    responses=errors(403, 404),
)
async def unpin_model(
    model_id: FromPath[str], catalog: NamedDependency[Catalog], memory: NamedDependency[Memory]
) -> PinAnswer:
    """Let the model leave when it is idle, or when others need its room."""
    return await memory.unpin(catalog.find(model_id).ref)


@post(
    "/api/models/{model_id:str}/unload",
    status_code=200,
    tags=["memory"],
    responses=errors(403, 404),
)
async def unload_model(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    memory: NamedDependency[Memory],
    force: FromQuery[bool] = False,
) -> UnloadAnswer:
    """Free the model's memory on every replica, once its running speech has ended; `force` cuts
    that off."""
    return await memory.unload(catalog.find(model_id).ref, force=force)


@post("/models/unload", status_code=200, tags=["memory"], responses=errors(403, 404, 413, 415))
async def unload(
    data: JSONBody[UnloadBody], catalog: NamedDependency[Catalog], memory: NamedDependency[Memory]
) -> UnloadAnswer:
    """Free one model's memory (`{"model": "…"}`), or all of it (`{"all": true}`)."""
    if data.all == (data.model is not None):
        raise InvalidRequest('say which: {"model": "name:variant"} or {"all": true}', param="model")
    if data.model is None:
        return await memory.unload_all(force=data.force)
    return await memory.unload(catalog.find(data.model).ref, force=data.force)
