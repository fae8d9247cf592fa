"""Inference, wired: one place chooses what each part works with, and in which order it ends."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress

from faststream.nats import NatsBroker, NatsMessage
from nats.aio.client import Client
from nats.errors import Error as NatsError

from sirene_inference import gpu, memory
from sirene_inference.cache import Models
from sirene_inference.draining import drain
from sirene_inference.environment import environment
from sirene_inference.handlers import Handlers
from sirene_inference.limits import CPU, CUDA, parse_limits
from sirene_inference.loader import Loader
from sirene_inference.remembered_sizes import RememberedSizes
from sirene_inference.settings import Settings
from sirene_inference.status import StatusWriter
from sirene_inference.templates import Templates
from sirene_shared import bus, presence
from sirene_shared.ending import end
from sirene_shared.errors import ModelDamaged
from sirene_shared.manifest import load_catalogue
from sirene_shared.messages import Suspicion
from sirene_shared.names import ModelRef
from sirene_shared.store import Store
from sirene_shared.subjects import (
    INFERENCE_SERVICE,
    LOAD,
    PIN,
    REPLICAS_GROUP,
    SUSPICION,
    UNLOAD,
)

log = logging.getLogger(__name__)

# Load and unload requests wait, and must not wait for each other.
MAX_REQUESTS = 512
# What follows the end of the models: last frames and last replies.
LAST_WORDS_S = 2.0
# Longer than the last words: a step that waits for them is not cut off.
LEAVE_S = 5.0


async def serve(settings: Settings, environ: Mapping[str, str], stop: asyncio.Event) -> None:
    """Speak for whoever asks, until `stop`; then finish what runs and leave nothing behind.

    environ: what runners inherit a part of.
    """
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(_start(stack, settings, environ))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():  # the bus did not answer yet
            await end({starting})
            return
        starting.result()
        await stopping


async def _start(stack: AsyncExitStack, settings: Settings, environ: Mapping[str, str]) -> None:
    """Fill `stack` with what is to end; it ends in the opposite order."""
    replica = settings.replica or f"{socket.gethostname().split('.')[0]}-{os.getpid()}"
    catalogue = load_catalogue(settings.manifests_path)
    store = Store(settings.models_path)
    # For what blocks: the disk, and the measuring of processes.
    disk = stack.enter_context(ThreadPoolExecutor(4, thread_name_prefix="disk"))
    templates = Templates(environment(environ), is_warm=settings.warm_start)
    stack.push_async_callback(templates.close)
    templates.warm()
    tasks: set[asyncio.Task[None]] = set()

    async def declare_again() -> None:
        await bus.bootstrap_when_ready(nc)
        status.wake()

    async def came_back() -> None:
        # On its own: the connection serves nobody until this callback has returned.
        task = asyncio.create_task(declare_again())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def changed(ref: ModelRef) -> None:
        handlers.residency.look(ref)
        status.wake()

    totals = await asyncio.get_running_loop().run_in_executor(disk, _totals, settings.device)
    remembered = RememberedSizes(catalogue, totals)

    async def damaged(ref: ModelRef, error: ModelDamaged) -> None:
        with suppress(ModelDamaged, NatsError):
            record = await asyncio.get_running_loop().run_in_executor(disk, store.record, ref)
            suspicion = Suspicion(
                model=ref.model,
                variant=ref.variant,
                reason=error.message[:1000],
                installed_at=record.installed_at if record else 0.0,
            )
            await nc.publish(SUSPICION.of(ref), suspicion.encode())

    models = Models(
        Loader(settings, catalogue, disk, templates, damaged=damaged),
        capacity=settings.max_loaded_models,
        busy_wait_s=settings.busy_wait_s,
        memory=parse_limits(settings.max_memory, totals),
        sizes=remembered.sizes,
        keep_alive_s=settings.keep_alive_s,
        changed=changed,
    )
    nc = await bus.connect(settings.nats_url, INFERENCE_SERVICE, on_reconnect=came_back)
    stack.push_async_callback(_disconnect, nc, tasks)
    js = await bus.bootstrap_when_ready(nc)
    handlers = Handlers(nc, models, replica=replica, concurrency=settings.concurrency)
    remembering = asyncio.create_task(remembered.run(js))
    stack.push_async_callback(end, {remembering})
    await remembered.wait()
    status = StatusWriter(js, models, disk, replica=replica, settings=settings)
    writing = asyncio.create_task(status.run())
    stack.push_async_callback(_fall_silent, status, writing)
    stack.push_async_callback(handlers.finish, within_s=LAST_WORDS_S)
    broker = NatsBroker(
        settings.nats_url,
        logger=None,
        apply_types=False,
        graceful_timeout=LAST_WORDS_S,
        **bus.connect_options(f"{INFERENCE_SERVICE} requests"),
    )
    load = broker.subscriber(LOAD.all, REPLICAS_GROUP, max_workers=MAX_REQUESTS, decoder=_undecoded)
    # The API asks one replica for a cold model: the one with room (docs/architecture.md).
    load_here = broker.subscriber(LOAD.at(replica), max_workers=MAX_REQUESTS, decoder=_undecoded)
    unload = broker.subscriber(UNLOAD.all, max_workers=MAX_REQUESTS, decoder=_undecoded)
    pin = broker.subscriber(PIN.all, decoder=_undecoded)
    load(handlers.load)
    load_here(handlers.load)
    unload(handlers.unload)
    pin(handlers.pin)
    requests = await broker.connect()
    await broker.start()
    stack.push_async_callback(_within, LEAVE_S, broker.stop)
    stack.push_async_callback(models.close, within_s=settings.drain_s)
    stack.push_async_callback(_within, LEAVE_S, handlers.residency.close)

    async def take_no_more() -> None:
        for subscriber in (load, load_here, unload, pin):
            if subscriber.subscription:
                await drain(requests, subscriber.subscription)
                subscriber.subscription = None

    stack.push_async_callback(_within, LEAVE_S, take_no_more)
    service = await presence.announce(nc, INFERENCE_SERVICE, replica)
    stack.push_async_callback(_within, LEAVE_S, service.stop)
    log.info(
        "ready: replica %s, at most %d models, %d threads each",
        *(replica, settings.max_loaded_models, settings.engine_threads),
    )


def _totals(device: str) -> dict[str, int]:
    """Bytes of each device that models may be put on."""
    totals = {CPU: memory.total()}
    if device != CPU and (count := gpu.total()):
        totals[CUDA] = count
    return totals


async def _undecoded(message: NatsMessage) -> bytes:
    """Handlers decode themselves, so that a bad body is answered with the reason."""
    return message.body


async def _within(seconds: float, step: Callable[[], Awaitable[object]]) -> None:
    """Do one step of the end, which a bus that is gone must not hold up."""
    try:
        async with asyncio.timeout(seconds):
            await step()
    except (NatsError, OSError, TimeoutError) as error:
        log.warning("the bus did not let us go in order: %r", error)


async def _fall_silent(status: StatusWriter, writing: "asyncio.Task[None]") -> None:
    await end({writing})
    await status.withdraw()


async def _disconnect(nc: Client, tasks: "set[asyncio.Task[None]]") -> None:
    await end(tasks)
    await nc.close()
