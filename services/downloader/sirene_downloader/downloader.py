"""The downloader's life: everything it is made of put together, from start to SIGTERM."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from functools import partial
from typing import Any

import nats.errors
from faststream.nats import NatsBroker
from nats.aio.client import Client as NatsClient
from nats.micro.service import Service

from sirene_downloader import handlers
from sirene_downloader.backlog import Backlog
from sirene_downloader.bringing import Bringing
from sirene_downloader.caretaker import Caretaker
from sirene_downloader.custody import Custody
from sirene_downloader.desk import Desk
from sirene_downloader.dispatcher import Dispatcher
from sirene_downloader.doubt import Doubt
from sirene_downloader.equipment import Equipment, equip
from sirene_downloader.hours import Hours
from sirene_downloader.imports import Imports
from sirene_downloader.installing import Installing
from sirene_downloader.inventory import Inventory
from sirene_downloader.jobs import Jobs
from sirene_downloader.limits import CurrentLimits
from sirene_downloader.parts import Parts, keep_collecting
from sirene_downloader.preflight import Preflights
from sirene_downloader.pull import Workshop
from sirene_downloader.reception import Reception
from sirene_downloader.removal import Removal
from sirene_downloader.settings import Limits, Settings
from sirene_downloader.states import States
from sirene_downloader.storages import Storages
from sirene_downloader.transfer.throttle import Throttle
from sirene_downloader.watch import Watch
from sirene_downloader.wishes import Wishes
from sirene_shared import bus, presence
from sirene_shared.ending import end
from sirene_shared.errors import PullError
from sirene_shared.manifest import Catalogue
from sirene_shared.mirror import Mirror
from sirene_shared.subjects import DOWNLOADER_SERVICE, PULL, SETTINGS, SUSPICION

log = logging.getLogger(__name__)

LEAVE_S = 5.0
CANCEL_AGAIN_S = 0.5


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
        broker = NatsBroker(
            self._settings.nats_url,
            logger=None,
            disconnected_cb=self._bus_lost,
            reconnected_cb=self._bus_back,
            error_cb=_bus_failed,
            graceful_timeout=1.0,
            **bus.connect_options(f"{DOWNLOADER_SERVICE} {self._replica}"),
        )
        async with AsyncExitStack() as stack:
            equipment = equip(
                self._settings, self._catalogue, self._limits, self.throttle, self._replica, stack
            )
            workshop = equipment.workshop
            await _open_volume(workshop)
            log.info("connecting to the bus")
            nc = await broker.connect()
            stack.push_async_callback(bus.close, nc)
            # Before the connection, whatever went wrong: a pull loop on a closed one never lets go.
            stack.push_async_callback(_stop_subscribers, broker)
            await self._serve(nc, broker, equipment, stack)
            with suppress(PullError):
                await workshop.on_disk(workshop.staging.close)
            log.info("ended")

    async def _serve(
        self, nc: NatsClient, broker: NatsBroker, equipment: Equipment, stack: AsyncExitStack
    ) -> None:
        """From a bus that answers to the end of the last pull."""
        chosen, workshop = self._settings, equipment.workshop
        caring: set[asyncio.Task[None]] = set()
        stack.push_async_callback(end, caring)

        def care(what: Coroutine[Any, Any, None]) -> None:
            task = asyncio.create_task(what)
            task.add_done_callback(_log_failure)
            caring.add(task)

        js = await bus.bootstrap_when_ready(nc)
        states = States(js)
        backlog = Backlog(js, states)
        wishes = Wishes(js, lambda: self._look_soon())
        self._mirrors = (wishes.mirror, Mirror(js, SETTINGS, self._limits_changed))
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
        await nc.subscribe(PULL.all, cb=partial(handlers.hear_pull, dispatcher, backlog, wishes))
        parts = Parts(js, backlog, workshop)
        preflights = Preflights(workshop, equipment.client, equipment.token)
        storages = Storages(workshop, parts)
        reception = Reception(
            *(workshop, equipment.client, equipment.token, chosen, self.current, self._replica)
        )
        desk = Desk(nc, self._catalogue, workshop, preflights, parts, storages, reception)
        await desk.open()
        custody = Custody(js, backlog, workshop)
        imports = Imports(
            nc,
            Bringing(nc, self._catalogue, workshop, custody),
            Installing(states, self._catalogue, workshop, custody),
        )
        await imports.open()
        doubt = Doubt(js, states, workshop)
        stack.push_async_callback(doubt.close)
        await nc.subscribe(SUSPICION.all, queue=DOWNLOADER_SERVICE, cb=doubt.hear)
        await broker.start()
        for mirror in self._mirrors:
            care(mirror.run())
        dispatcher.open()
        service = await presence.announce(nc, DOWNLOADER_SERVICE, self._replica)
        care(caretaker.run())
        care(Watch(workshop.store, inventory.look, inventory.reconcile).run())
        care(keep_collecting(parts, 3600.0 * chosen.keep_parts_h))
        self.ready.set()
        log.info("ready: %s takes %d pulls at a time", self._replica, self.current.pulls)
        await self._stopping.wait()
        await end(caring)
        await dispatcher.close()
        await asyncio.gather(jobs.close(), desk.close(), imports.close())
        await _leave(nc, broker, service)

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


async def _open_volume(workshop: Workshop) -> None:
    """Say at once when nothing can be pulled; each pull tries again."""
    try:
        await workshop.on_disk(workshop.staging.open)
        await workshop.on_disk(workshop.staging.sweep)
    except PullError as error:
        log.warning("%s. %s", error.message, error.hint)


async def _leave(nc: NatsClient, broker: NatsBroker, service: Service) -> None:
    """Fetch nothing more."""
    await _stop_subscribers(broker)
    if not nc.is_connected:
        return
    with suppress(nats.errors.Error, TimeoutError, OSError):
        async with asyncio.timeout(LEAVE_S):
            await service.stop()
            await broker.stop()


async def _stop_subscribers(broker: NatsBroker) -> None:
    for subscriber in broker.subscribers:
        with suppress(nats.errors.Error, OSError):
            await subscriber.stop()


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the service works on without a part of it", exc_info=error)


async def _bus_failed(error: Exception) -> None:
    # Permission errors arrive only here; refused connections while reconnecting are noise.
    if not isinstance(error, OSError | nats.errors.NoServersError):
        log.warning("bus: %r", error)
