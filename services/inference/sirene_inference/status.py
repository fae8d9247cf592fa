"""What this replica has in memory, written for everyone to see, and gone soon after it is."""

import asyncio
import logging
import socket
import time
from concurrent.futures import Executor

from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from sirene_inference import backends, memory
from sirene_inference.cache import Models
from sirene_inference.holding import Holding
from sirene_inference.loader import LoadedVoice
from sirene_inference.room import Size
from sirene_inference.settings import Settings
from sirene_shared import __version__, bus
from sirene_shared.durations import on_the_wire
from sirene_shared.errors import BusUnavailable
from sirene_shared.messages import LoadedModel, ReplicaStatus
from sirene_shared.subjects import REPLICAS

log = logging.getLogger(__name__)

INTERVAL_S = 2.0
# Every write is synced to the server's disk: a burst of short requests must not be a burst of them.
LEAST_GAP_S = 0.1
GOODBYE_S = 2.0


class StatusWriter:
    def __init__(
        self,
        js: JetStreamContext,
        models: Models[LoadedVoice],
        disk: Executor,
        *,
        replica: str,
        settings: Settings,
    ) -> None:
        self._js = js
        self._models = models
        self._disk = disk
        self._replica = replica
        self._settings = settings
        self._started_at = time.time()
        self._news = asyncio.Event()
        self._is_silent = False

    def wake(self) -> None:
        """Something changed: write it soon."""
        self._news.set()

    async def run(self) -> None:
        """Write at every change, and often enough that the entry stays."""
        while True:
            self._news.clear()
            await self._write()
            await asyncio.sleep(LEAST_GAP_S)
            try:
                async with asyncio.timeout(INTERVAL_S - LEAST_GAP_S):
                    await self._news.wait()
            except TimeoutError:
                await self._measure()

    async def withdraw(self) -> None:
        """Remove the entry; run() must have ended."""
        try:
            async with asyncio.timeout(GOODBYE_S):
                bucket = await bus.open_bucket(self._js, REPLICAS)
                await bucket.delete(self._replica)
        except (NatsError, OSError, TimeoutError):
            pass  # then its time to live removes it

    async def _write(self) -> None:
        try:
            assert REPLICAS.ttl_s is not None
            await bus.put(self._js, REPLICAS, self._replica, self._status(), ttl_s=REPLICAS.ttl_s)
        except BusUnavailable as error:
            if not self._is_silent:
                log.warning("%s", error)
            self._is_silent = True
        else:
            self._is_silent = False

    async def _measure(self) -> None:
        for holding in self._models.holdings():
            if (voice := holding.voice) and (taken := await voice.measure()):
                self._models.measured(holding.resident, Size(voice.device, taken))

    def _taken(self) -> dict[str, int]:
        taken: dict[str, int] = {}
        for holding in self._models.holdings():
            device, count = holding.resident.size
            taken[device] = taken.get(device, 0) + count
        return taken

    def _status(self) -> ReplicaStatus:
        models = tuple(loaded_model(holding) for holding in self._models.holdings())
        devices = {model.device for model in models}
        return ReplicaStatus(
            replica=self._replica,
            host=socket.gethostname(),
            device="cuda" if "cuda" in devices else "cpu",
            max_loaded_models=self._models.bounds.models,
            memory_total_bytes=memory.total(),
            memory_available_bytes=memory.available(),
            memory_limits=dict(self._models.bounds.memory),
            memory_taken=self._taken(),
            models=models,
            backends=backends.names(),
            started_at=self._started_at,
            version=__version__,
            wanted_device=self._settings.device,
            max_memory=self._settings.max_memory,
            keep_alive_s=on_the_wire(self._settings.keep_alive_s),
        )


def loaded_model(holding: Holding[LoadedVoice]) -> LoadedModel:
    resident, voice, idle_s = holding.resident, holding.voice, holding.idle_s
    expires_in_s = holding.expires_in_s
    return LoadedModel(
        model=resident.ref.model,
        variant=resident.ref.variant,
        state=resident.state,
        device=resident.size.device,
        memory_bytes=voice.memory_bytes if voice else 0,
        in_flight=resident.users,
        idle_s=round(idle_s, 3),
        last_used_at=time.time() - idle_s,
        load_s=voice.load_s if voice else 0.0,
        pinned=holding.is_pinned,
        expires_at=None if expires_in_s is None else round(time.time() + expires_in_s, 3),
        is_next=holding.is_next,
    )
