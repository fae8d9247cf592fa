"""The downloader: everything it is made of, put together; and its life from start to SIGTERM."""

import asyncio
import logging
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from functools import partial
from urllib.parse import urlsplit

import huggingface_hub
import msgspec
import nats.errors
from faststream.nats import NatsBroker
from nats.aio.client import Client as NatsClient
from nats.micro.service import Service

from sirene_downloader import handlers
from sirene_downloader.backlog import Backlog
from sirene_downloader.caretaker import Caretaker
from sirene_downloader.desk import Desk
from sirene_downloader.hub import Hub
from sirene_downloader.inventory import Inventory
from sirene_downloader.jobs import Jobs
from sirene_downloader.parts import Parts, keep_collecting
from sirene_downloader.preflight import Preflights
from sirene_downloader.pull import Workshop
from sirene_downloader.removal import Removal
from sirene_downloader.request import Client
from sirene_downloader.settings import Limits, Settings
from sirene_downloader.staging import Staging
from sirene_downloader.states import States
from sirene_downloader.watch import Watch
from sirene_shared import bus, logs, presence, settings
from sirene_shared.errors import PullError, SireneError
from sirene_shared.manifest import Catalogue, load_catalogue
from sirene_shared.store import Store
from sirene_shared.subjects import DOWNLOADER_SERVICE, DOWNLOADERS, PULL

log = logging.getLogger(__name__)

LEAVE_S = 5.0
CANCEL_AGAIN_S = 0.5
# Per pull: one thread writes, one hashes, one is spare; and two for everything else.
THREADS_PER_PULL = 3


class Downloader:
    """Everything that lives as long as the service; run() is that life."""

    def __init__(self, settings: Settings, catalogue: Catalogue, limits: Limits) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._limits = limits
        self._replica = settings.replica or socket.gethostname()
        self._stopping = asyncio.Event()
        self._bus_is_back = asyncio.Event()
        self.ready = asyncio.Event()
        """Set once commands are taken."""

    def stop(self) -> None:
        """End in order: pulls stop and are handed back, what came of them stays."""
        self._stopping.set()

    async def run(self) -> None:
        """Until stop()."""
        life = asyncio.create_task(self._live())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({life, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        while not (life.done() or self.ready.is_set()):
            # It waits for the bus, in a library that can lose a cancellation on Python 3.11.
            life.cancel()
            await asyncio.wait({life}, timeout=CANCEL_AGAIN_S)
        with suppress(asyncio.CancelledError):
            await life

    async def _live(self) -> None:
        chosen = self._settings
        broker = NatsBroker(
            chosen.nats_url,
            logger=None,
            disconnected_cb=self._bus_lost,
            reconnected_cb=self._bus_back,
            error_cb=_bus_failed,
            graceful_timeout=1.0,
            **bus.connect_options(f"{DOWNLOADER_SERVICE} {self._replica}"),
        )
        async with AsyncExitStack() as stack:
            executor = ThreadPoolExecutor(2 + THREADS_PER_PULL * chosen.pulls, "disk")
            stack.callback(executor.shutdown, wait=True, cancel_futures=True)
            client = Client(chosen.hf_endpoint, chosen.hf_token, self._limits)
            stack.push_async_callback(client.close)
            workshop = self._workshop(executor, client)
            await self._open_volume(workshop)
            log.info("connecting to the bus")
            nc = await broker.connect()
            stack.push_async_callback(nc.close)
            js = await bus.bootstrap_when_ready(nc)
            states = States(js)
            backlog = Backlog(js, states)
            jobs = Jobs(nc, js, states, backlog, self._catalogue, workshop)
            removal = Removal(nc, js, states, backlog, jobs, workshop)
            inventory = Inventory(js, states, backlog, jobs, self._catalogue, workshop)
            handlers.register(broker, js, jobs, removal, pulls=chosen.pulls)
            caretaker = Caretaker(nc, inventory, self._bus_is_back)
            await caretaker.reconcile()
            await nc.subscribe(PULL.all, queue=DOWNLOADERS, cb=partial(handlers.announce, backlog))
            parts = Parts(js, backlog, workshop)
            preflights = Preflights(workshop, has_token=bool(chosen.hf_token))
            desk = Desk(nc, self._catalogue, workshop, preflights, parts)
            await desk.open()
            await broker.start()
            service = await presence.announce(nc, DOWNLOADER_SERVICE, self._replica)
            caring = asyncio.create_task(caretaker.run())
            keep_s = 3600.0 * chosen.keep_parts_h
            watching = asyncio.create_task(
                Watch(workshop.store, inventory.look, inventory.reconcile).run()
            )
            collecting = asyncio.create_task(keep_collecting(parts, keep_s))
            self.ready.set()
            log.info("ready: %s takes %d pulls at a time", self._replica, chosen.pulls)
            await self._stopping.wait()
            caring.cancel()
            collecting.cancel()
            watching.cancel()
            await asyncio.gather(jobs.close(), desk.close())
            await self._leave(nc, broker, service, jobs)
            with suppress(PullError):
                await workshop.on_disk(workshop.staging.close)
            log.info("ended")

    async def _leave(
        self, nc: NatsClient, broker: NatsBroker, service: Service, jobs: Jobs
    ) -> None:
        """Fetch nothing more, then hand back what was not finished."""
        # Also when the bus is gone: a pull loop on a closed connection never lets go of the loop.
        for subscriber in broker.subscribers:
            with suppress(nats.errors.Error, OSError):
                await subscriber.stop()
        if not nc.is_connected:
            return
        with suppress(nats.errors.Error, TimeoutError, OSError):
            async with asyncio.timeout(LEAVE_S):
                await jobs.hand_back()
                await service.stop()
                await broker.stop()

    def _workshop(self, executor: ThreadPoolExecutor, client: Client) -> Workshop:
        chosen, store = self._settings, Store(self._settings.models_path)
        hub = Hub(
            client,
            executor,
            endpoint=chosen.hf_endpoint,
            token=chosen.hf_token,
            offline=chosen.hf_hub_offline,
            limits=self._limits,
        )
        staging = Staging(store.staging, self._replica)
        return Workshop(store, staging, hub, client, executor, self._limits)

    async def _open_volume(self, workshop: Workshop) -> None:
        """Say at once when nothing can be pulled; each pull tries again."""
        try:
            await workshop.on_disk(workshop.staging.open)
            await workshop.on_disk(workshop.staging.sweep)
        except PullError as error:
            log.warning("%s. %s", error.message, error.hint)

    async def _bus_lost(self) -> None:
        if not self._stopping.is_set():
            log.warning("the bus is gone; reconnecting")

    async def _bus_back(self) -> None:
        log.info("the bus is back")
        self._bus_is_back.set()


async def _bus_failed(error: Exception) -> None:
    # Permission errors arrive only here; refused connections while reconnecting are noise.
    if not isinstance(error, OSError | nats.errors.NoServersError):
        log.warning("bus: %r", error)


def create_app(
    settings: Settings, *, catalogue: Catalogue | None = None, limits: Limits | None = None
) -> Downloader:
    """Raises: InvalidManifest."""
    if catalogue is None:
        catalogue = load_catalogue(settings.manifests_path)
    return Downloader(settings, catalogue, limits or Limits())


async def _serve(app: Downloader) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop)
    await app.run()


def main() -> None:
    try:
        chosen = settings.read(Settings, os.environ)
        if not chosen.hf_token:
            # Where `hf auth login` left it.
            token = huggingface_hub.get_token() or ""
            chosen = msgspec.structs.replace(chosen, hf_token=token)
        logs.configure(
            "downloader",
            level=chosen.log_level,
            log_format=chosen.log_format,
            secrets=[chosen.hf_token, urlsplit(chosen.nats_url).password or ""],
        )
        app = create_app(chosen)
    except SireneError as error:
        sys.exit(f"sirene-downloader: {error.message} {error.hint}".rstrip())
    asyncio.run(_serve(app))
