"""The catalogue joined with the state, deletes, and the stream of everything that happens."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from sirene_api.answers import Deleted
from sirene_api.catalog import Catalog
from sirene_api.events import HEARTBEAT, RETRY, Hub, frame
from sirene_api.link import BusLink
from sirene_api.pulls import Pulls
from sirene_api.routes.documented import errors, events
from sirene_api.routes.streamed import Streamed, event_stream
from sirene_api.views import (
    InstalledList,
    LoadedList,
    ModelList,
    ModelView,
    ReplicaGone,
    ReplicaView,
    Snapshot,
)


@get(["/api/models", "/api/models/catalog"], tags=["models"], responses=errors())
async def list_models(
    catalog: NamedDependency[Catalog],
    link: NamedDependency[BusLink],
    installed: FromQuery[bool] = False,
) -> ModelList:
    """Every model there is, with what became of it here; `?installed=true` for those on disk."""
    await link.wait_for_state()
    return ModelList(models=catalog.views(installed=installed))


@get("/api/models/installed", tags=["models"], responses=errors())
async def list_installed(
    catalog: NamedDependency[Catalog], link: NamedDependency[BusLink]
) -> InstalledList:
    """What the volume holds."""
    await link.wait_for_state()
    views = catalog.views(installed=True)
    return InstalledList(models=views, total_bytes=sum(view.installed_bytes for view in views))


@get("/api/models/loaded", tags=["memory"], responses=errors())
async def list_loaded(
    catalog: NamedDependency[Catalog], link: NamedDependency[BusLink]
) -> LoadedList:
    """What is in memory: where, how big, how idle."""
    await link.wait_for_state()
    return LoadedList(models=catalog.loaded(), replicas=catalog.replica_views())


@get("/api/models/{model_id:str}", tags=["models"], responses=errors(404))
async def show_model(
    model_id: FromPath[str], catalog: NamedDependency[Catalog], link: NamedDependency[BusLink]
) -> ModelView:
    """One model, by `name` or `name:variant`."""
    model = catalog.find(model_id)
    await link.wait_for_state()
    return catalog.view(model)


@delete(
    "/api/models/{model_id:str}", status_code=200, tags=["models"], responses=errors(403, 404, 409)
)
async def delete_model(
    model_id: FromPath[str], catalog: NamedDependency[Catalog], pulls: NamedDependency[Pulls]
) -> Deleted:
    """Free the model's memory once its running speech has ended, then delete its files.

    Of a pull that failed, what came of it is deleted and its failure forgotten.
    """
    return await pulls.delete(catalog.find(model_id))


@get(
    "/api/models/events",
    tags=["models"],
    responses={
        200: events(
            Snapshot | ModelView | ReplicaView | ReplicaGone,
            "Events `snapshot` (first), `model` and `replica`; a comment every 15 s.",
        ),
        **errors(403),
    },
)
async def stream_events(
    catalog: NamedDependency[Catalog], link: NamedDependency[BusLink], hub: NamedDependency[Hub]
) -> Streamed:
    """Everything that happens, as server-sent events: the whole state first, then each change."""
    return event_stream(_events(catalog, link, hub))


async def _events(catalog: Catalog, link: BusLink, hub: Hub) -> AsyncGenerator[bytes, None]:
    """Opens even while the bus is away: an EventSource that is answered 503 gives up for good."""
    yield RETRY
    has_snapshot = False
    async with aclosing(hub.listen()) as batches:
        async for frames in batches:
            if not has_snapshot and link.has_state:
                has_snapshot = True
                snapshot = Snapshot(models=catalog.views(), replicas=catalog.replica_views())
                yield frame("snapshot", hub.next_id(), snapshot)
            elif has_snapshot and frames:
                yield b"".join(frames)
            else:
                yield HEARTBEAT
