"""Wires the API: one place that chooses, everything outside is a parameter."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Tag

from sirene_api.catalog import Catalog
from sirene_api.downloaders import Downloaders
from sirene_api.downloads import Downloads
from sirene_api.events import HEARTBEAT_S, Hub
from sirene_api.guards import App, Guards, Receive, Scope, Send
from sirene_api.imports import Imports
from sirene_api.inquiries import Inquiries
from sirene_api.link import BusLink
from sirene_api.memory import Memory
from sirene_api.pages import SECURITY_HEADERS
from sirene_api.preferences import Preferences
from sirene_api.pulls import Pulls, model_key
from sirene_api.routes import (
    downloads,
    failures,
    health,
    imports,
    memory,
    models,
    openai_models,
    pages,
    pulls,
    speech,
    volume,
)
from sirene_api.routes import settings as settings_routes
from sirene_api.settings import Settings
from sirene_api.synthesis import Synthesis
from sirene_api.views import ReplicaGone, ReplicaView
from sirene_api.web_ui import WebUI
from sirene_api.wishes import Wishes
from sirene_shared import __version__
from sirene_shared.ending import end
from sirene_shared.manifest import Catalogue, Model, load_catalogue
from sirene_shared.web_ui import Missing

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1_000_000
# The link first ends its own tasks, then its connection.
LINK_END_S = 1.0

NO_UI = Missing("it was not asked for")

ROUTES = [
    models.list_models,
    models.list_installed,
    models.list_loaded,
    models.show_model,
    models.delete_model,
    models.stream_events,
    pulls.start_pull,
    pulls.follow_pull,
    pulls.cancel_pull,
    downloads.pause_pull,
    downloads.resume_pull,
    downloads.put_first,
    downloads.show_downloads,
    downloads.pause_all,
    downloads.resume_all,
    downloads.cancel_all,
    downloads.order_downloads,
    downloads.show_limits,
    downloads.change_limits,
    volume.verify_model,
    volume.repair_model,
    volume.show_storage,
    imports.identify_files,
    imports.upload_file,
    imports.import_model,
    settings_routes.show_settings,
    settings_routes.keep_hub_token,
    settings_routes.clear_hub_token,
    volume.list_parts,
    volume.delete_parts,
    memory.load_model,
    memory.pin_model,
    memory.unpin_model,
    memory.unload_model,
    memory.unload,
    speech.speak,
    openai_models.list_openai_models,
    openai_models.show_openai_model,
    openai_models.list_audio_models,
    openai_models.list_voices,
    health.live,
    health.ready,
    pages.show_start,
]

TAGS = [
    Tag("models", "The catalogue joined with what is installed, and everything that happens."),
    Tag("pulls", "Installing a model, and following how it arrives."),
    Tag("volume", "The files on the volume, and what is left of pulls that did not end."),
    Tag("memory", "Models in the memory of the inference replicas."),
    Tag("import", "Installing a model from files that are here, without the hub."),
    Tag("settings", "What is in force in every service, and the token for the hub."),
    Tag("openai", "OpenAI's shapes: point any client of theirs at /v1."),
    Tag("health", "For whoever watches this service."),
]


class Application:
    """The ASGI application: Litestar behind the guards, and its event streams."""

    def __init__(
        self,
        litestar: Litestar,
        catalog: Catalog,
        hub: Hub,
        settings: Settings,
        ui: WebUI | Missing,
    ) -> None:
        self.litestar = litestar
        self.catalog = catalog
        self.hub = hub
        routes: App = litestar  # type: ignore[assignment]
        self._guarded = Guards(
            ui.before(routes) if isinstance(ui, WebUI) else routes,
            bound_host=settings.host,
            host_names=settings.host_names,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._guarded(scope, receive, send)


def create_app(
    settings: Settings,
    *,
    catalogue: Catalogue | None = None,
    ui: WebUI | Missing = NO_UI,
    heartbeat_s: float = HEARTBEAT_S,
) -> Application:
    """Raises: InvalidManifest. Needs no bus: that is connected to when it is there."""
    hub = Hub(heartbeat_s=heartbeat_s)
    catalog = Catalog(load_catalogue(settings.manifests_path) if catalogue is None else catalogue)

    def model_changed(model: Model) -> None:
        hub.put(model_key(model.ref), "model", lambda: catalog.view(model))

    def replica_changed(replica: str) -> None:
        status = catalog.replicas.get(replica)
        gone = ReplicaGone(replica=replica)
        hub.put(f"replica/{replica}", "replica", lambda: ReplicaView.of(status) if status else gone)

    catalog.model_changed, catalog.replica_changed = model_changed, replica_changed
    link = BusLink(settings.nats_url, catalog, state_read=hub.wake_all)
    memories = Memory(
        catalog, link, load_wait_s=settings.load_wait_s, unload_wait_s=settings.unload_wait_s
    )
    wishes = Wishes(link)
    downloaders = Downloaders(link)
    pulling = Pulls(catalog, link, hub, memories, wishes)
    things = {
        "catalog": catalog,
        "hub": hub,
        "imports": Imports(link),
        "inquiries": Inquiries(catalog, link),
        "link": link,
        "memory": memories,
        "preferences": Preferences(catalog, downloaders),
        "pulls": pulling,
        "downloaders": downloaders,
        "downloads": Downloads(catalog, link, pulling, wishes),
        "no_ui": ui if isinstance(ui, Missing) else None,
        "synthesis": Synthesis(link, memories, wait_s=settings.load_wait_s),
    }

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(link.run()), asyncio.create_task(hub.run())]
        try:
            yield
        finally:
            hub.end_all()
            await end(tasks, again_s=LINK_END_S)

    litestar = Litestar(
        route_handlers=ROUTES,
        dependencies={name: _provide(thing) for name, thing in things.items()},
        exception_handlers=failures.HANDLERS,
        lifespan=[lifespan],
        openapi_config=OpenAPIConfig(
            title="Sirene",
            version=__version__,
            description="Text to speech on your own machine: install models, and let them speak.",
            openapi_router=Router(
                "/schema",
                route_handlers=[],
                response_headers=SECURITY_HEADERS,
                include_in_schema=False,
            ),
            use_handler_docstrings=True,
            tags=TAGS,
            render_plugins=[JsonRenderPlugin(), pages.PlainSchemaPage(path="/")],
        ),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
    return Application(litestar, catalog, hub, settings, ui)


def _provide(thing: object) -> Provide:
    def given() -> object:
        return thing

    return Provide(given, sync_to_thread=False)
