"""All pulls together: the queue, its order, pausing and resuming, and limits."""

from typing import Annotated, Any

import msgspec
from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from sirene_api.answers import DownloadsView, LimitsView, PullList, PullView
from sirene_api.catalog import Catalog
from sirene_api.downloads import Downloads
from sirene_api.routes.documented import errors

Now = Annotated[bool, QueryParameter(description="Also outside the hours in which pulls run.")]
Keep = Annotated[bool, QueryParameter(description="Keep the bytes that came, for a later pull.")]


class OrderBody(msgspec.Struct, frozen=True, kw_only=True):
    models: Annotated[list[str], Meta(max_length=1000)]


class LimitsBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is not named stays; `null` is the environment's again."""

    # Litestar would take a wrong value for a fault of the dependency of the same name, and say 500:
    # what it holds is checked with the limits.
    pulls: Annotated[
        Any,
        Meta(
            description="A number from 1 to 32, or `null`.",
            extra_json_schema={"extra": {"type": ["integer", "null"]}},
        ),
    ] = UNSET
    max_rate: int | UnsetType | None = UNSET
    connections: int | UnsetType | None = UNSET


@post(
    "/api/models/{model_id:str}/pause",
    status_code=202,
    tags=["pulls"],
    responses=errors(403, 404),
)
async def pause_pull(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    downloads: NamedDependency[Downloads],
) -> PullView:
    """Stop the pull that is queued or running, and keep what came, until it is resumed."""
    return await downloads.pause(catalog.find(model_id))


@post(
    "/api/models/{model_id:str}/resume",
    status_code=202,
    tags=["pulls"],
    responses=errors(403, 404),
)
async def resume_pull(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    downloads: NamedDependency[Downloads],
    now: Now = False,
) -> PullView:
    """Go on with a paused pull where it stopped."""
    return await downloads.resume(catalog.find(model_id), now=now)


@post(
    "/api/models/{model_id:str}/first",
    status_code=200,
    tags=["pulls"],
    responses=errors(403, 404),
)
async def put_first(
    model_id: FromPath[str],
    catalog: NamedDependency[Catalog],
    downloads: NamedDependency[Downloads],
) -> DownloadsView:
    """Make the pull of this model the next one to begin."""
    model = catalog.find(model_id)
    await downloads.must_wait(model)
    return await downloads.put_first([model.ref])


@get("/api/downloads", tags=["pulls"], responses=errors())
async def show_downloads(downloads: NamedDependency[Downloads]) -> DownloadsView:
    """Every pull that is not finished, each list in the order of the queue."""
    return await downloads.view()


@post("/api/downloads/pause", status_code=202, tags=["pulls"], responses=errors(403))
async def pause_all(downloads: NamedDependency[Downloads]) -> PullList:
    """Pause every pull."""
    return PullList(pulls=await downloads.pause_all())


@post("/api/downloads/resume", status_code=202, tags=["pulls"], responses=errors(403))
async def resume_all(downloads: NamedDependency[Downloads], now: Now = False) -> PullList:
    """Resume every pull."""
    return PullList(pulls=await downloads.resume_all(now=now))


@post("/api/downloads/cancel", status_code=202, tags=["pulls"], responses=errors(403))
async def cancel_all(downloads: NamedDependency[Downloads], keep: Keep = False) -> PullList:
    """End every pull."""
    return PullList(pulls=await downloads.cancel_all(keep=keep))


@post("/api/downloads/order", status_code=200, tags=["pulls"], responses=errors(403, 404, 413, 415))
async def order_downloads(
    data: JSONBody[OrderBody],
    catalog: NamedDependency[Catalog],
    downloads: NamedDependency[Downloads],
) -> DownloadsView:
    """Put these pulls before all others, in this order."""
    return await downloads.put_first([catalog.find(model_id).ref for model_id in data.models])


@get("/api/downloads/limits", tags=["pulls"], responses=errors())
async def show_limits(downloads: NamedDependency[Downloads]) -> LimitsView:
    """What was changed while Sirene runs; `null`: each downloader's environment says it."""
    return await downloads.limits()


@patch("/api/downloads/limits", tags=["pulls"], responses=errors(403, 413, 415))
async def change_limits(
    data: JSONBody[LimitsBody], downloads: NamedDependency[Downloads]
) -> LimitsView:
    """Change what each downloader may use; pulls that run follow at once."""
    changes = {
        name: value
        for name, value in msgspec.structs.asdict(data).items()
        if not isinstance(value, UnsetType)
    }
    return await downloads.change_limits(changes)
