"""The downloader: everything it is made of, put together; and its life from start to SIGTERM."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import datetime
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
from sirene_downloader.dispatcher import Dispatcher
from sirene_downloader.doubt import Doubt
from sirene_downloader.hours import Hours
from sirene_downloader.hub import Hub
from sirene_downloader.inventory import Inventory
from sirene_downloader.jobs import Jobs
from sirene_downloader.limits import CurrentLimits
from sirene_downloader.places import plain_urls
from sirene_downloader.pull import Workshop
from sirene_downloader.removal import Removal
from sirene_downloader.request import Client
from sirene_downloader.settings import MAX_PULLS, Limits, Settings
from sirene_downloader.staging import Staging
from sirene_downloader.states import States
from sirene_downloader.transfer.throttle import Throttle
from sirene_downloader.transfer.wire import Wire
from sirene_downloader.wishes import Wishes
from sirene_shared import bus, logs, presence, settings
from sirene_shared.errors import PullError, SireneError
from sirene_shared.manifest import Catalogue, load_catalogue
from sirene_shared.mirror import Mirror
from sirene_shared.store import Store
from sirene_shared.subjects import DOWNLOADER_SERVICE, PULL, SETTINGS, SUSPICION

log = logging.getLogger(__name__)

LEAVE_S = 5.0
CANCEL_AGAIN_S = 0.5
# For the volume; the bytes have threads of their own (transfer/crew.py). And two for the rest. They
# are started when they are needed, so that the bound is for as many pulls as may be asked for.
THREADS_PER_PULL = 2


class Downloader:
    """Everything that lives as long as the service; run() is that life."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        limits: Limits,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._limits = limits
        self._replica = settings.replica or socket.gethostname()
        self._clock = clock
        self.current = CurrentLimits(settings.limits())
        """Pulls, rate and connections, as they are now."""
        self._mirrors: tuple[Mirror, ...] = ()
        self._look_soon: Callable[[], None] = lambda: None
        self._stopping = asyncio.Event()
        self.throttle = Throttle()
        self.current.hold(self.throttle)
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
            executor = ThreadPoolExecutor(2 + THREADS_PER_PULL * MAX_PULLS, "disk")
            stack.callback(executor.shutdown, wait=True, cancel_futures=True)
            policy = chosen.policy(plain_urls(self._catalogue, chosen.hf_endpoint))
            client = Client(
                chosen.hf_endpoint,
                chosen.hf_token,
                self._limits,
                policy=policy,
                proxies=chosen.proxies,
            )
            stack.push_async_callback(client.close)
            wire = Wire(
                endpoint=chosen.hf_endpoint,
                token=chosen.hf_token,
                limits=self._limits,
                throttle=self.throttle,
                policy=policy,
                proxies=chosen.proxies,
            )
            stack.callback(wire.close)
            workshop = self._workshop(executor, client, wire)
            await self._open_volume(workshop)
            log.info("connecting to the bus")
            nc = await broker.connect()
            stack.push_async_callback(nc.close)
            # Before the connection, whatever went wrong: a pull loop on a closed one never lets go.
            stack.push_async_callback(_stop_subscribers, broker)
            js = await bus.bootstrap_when_ready(nc)
            states = States(js)
            backlog = Backlog(js, states)
            wishes = Wishes(js, lambda: self._look_soon())
            chosen_limits = Mirror(js, SETTINGS, self._limits_changed)
            self._mirrors = (wishes.mirror, chosen_limits)
            jobs = Jobs(nc, js, states, backlog, self._catalogue, workshop)
            removal = Removal(nc, js, states, backlog, jobs, workshop)
            inventory = Inventory(js, states, backlog, jobs, self._catalogue, workshop)
            dispatcher = Dispatcher(
                *(jobs, backlog, states, wishes, self.current, Hours.parse(chosen.pull_hours)),
                clock=self._clock,
            )
            self._look_soon = dispatcher.look_soon
            handlers.register(broker, js, jobs, removal, backlog, wishes)
            caretaker = Caretaker(nc, inventory, self._bus_is_back)
            await caretaker.reconcile()
            await nc.subscribe(
                PULL.all, cb=partial(handlers.hear_pull, dispatcher, backlog, wishes)
            )
            doubt = Doubt(js, states, workshop)
            stack.push_async_callback(doubt.close)
            await nc.subscribe(SUSPICION.all, queue=DOWNLOADER_SERVICE, cb=doubt.hear)
            await broker.start()
            caring = [asyncio.create_task(mirror.run()) for mirror in self._mirrors]
            dispatcher.open()
            service = await presence.announce(nc, DOWNLOADER_SERVICE, self._replica)
            caring.append(asyncio.create_task(caretaker.run()))
            self.ready.set()
            log.info("ready: %s takes %d pulls at a time", self._replica, self.current.pulls)
            await self._stopping.wait()
            for task in caring:
                task.cancel()
            await dispatcher.close()
            await jobs.close()
            await self._leave(nc, broker, service)
            with suppress(PullError):
                await workshop.on_disk(workshop.staging.close)
            log.info("ended")

    async def _leave(self, nc: NatsClient, broker: NatsBroker, service: Service) -> None:
        """Fetch nothing more."""
        # Also when the bus is gone: a pull loop on a closed connection never lets go of the loop.
        for subscriber in broker.subscribers:
            with suppress(nats.errors.Error, OSError):
                await subscriber.stop()
        if not nc.is_connected:
            return
        with suppress(nats.errors.Error, TimeoutError, OSError):
            async with asyncio.timeout(LEAVE_S):
                await service.stop()
                await broker.stop()

    def _workshop(self, executor: ThreadPoolExecutor, client: Client, wire: Wire) -> Workshop:
        chosen, store = self._settings, Store(self._settings.models_path)
        hub = Hub(
            client,
            executor,
            endpoint=chosen.hf_endpoint,
            mirrors=chosen.mirror_list,
            offline=chosen.hf_hub_offline,
            limits=self._limits,
        )
        staging = Staging(store.staging, self._replica)
        return Workshop(store, staging, hub, wire, executor)

    async def _open_volume(self, workshop: Workshop) -> None:
        """Say at once when nothing can be pulled; each pull tries again."""
        try:
            await workshop.on_disk(workshop.staging.open)
            await workshop.on_disk(workshop.staging.sweep)
        except PullError as error:
            log.warning("%s. %s", error.message, error.hint)

    def _limits_changed(self, key: str, value: bytes | None) -> None:
        self.current.take(key, value)
        self._look_soon()

    async def _bus_lost(self) -> None:
        if not self._stopping.is_set():
            log.warning("the bus is gone; reconnecting")

    async def _bus_back(self) -> None:
        log.info("the bus is back")
        self._bus_is_back.set()
        for mirror in self._mirrors:
            mirror.watch_again()


async def _stop_subscribers(broker: NatsBroker) -> None:
    for subscriber in broker.subscribers:
        with suppress(nats.errors.Error, OSError):
            await subscriber.stop()


async def _bus_failed(error: Exception) -> None:
    # Permission errors arrive only here; refused connections while reconnecting are noise.
    if not isinstance(error, OSError | nats.errors.NoServersError):
        log.warning("bus: %r", error)


def create_app(
    settings: Settings,
    *,
    catalogue: Catalogue | None = None,
    limits: Limits | None = None,
    clock: Callable[[], datetime] = datetime.now,
) -> Downloader:
    """Raises: InvalidManifest."""
    if catalogue is None:
        catalogue = load_catalogue(settings.manifests_path)
    return Downloader(settings, catalogue, limits or Limits(), clock)


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
            secrets=[
                chosen.hf_token,
                urlsplit(chosen.nats_url).password or "",
                *chosen.proxies.secrets,
            ],
        )
        app = create_app(chosen)
    except SireneError as error:
        sys.exit(f"sirene-downloader: {error.message} {error.hint}".rstrip())
    asyncio.run(_serve(app))
