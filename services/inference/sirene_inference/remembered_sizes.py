"""What models were measured to take, kept in a bucket: for the next start, for every replica."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

import msgspec
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from sirene_inference.room import Size
from sirene_inference.sizes import Sizes
from sirene_shared import bus
from sirene_shared.errors import BusUnavailable, InvalidRequest, SireneError
from sirene_shared.manifest import Catalogue
from sirene_shared.messages import MeasuredSize
from sirene_shared.mirror import Mirror
from sirene_shared.names import ModelRef
from sirene_shared.subjects import SIZES

PATIENCE_S = 2.0

log = logging.getLogger(__name__)


class RememberedSizes:
    """Fills `sizes`; without the bus they are learned anew, which costs a wrong guess at most."""

    def __init__(self, catalogue: Catalogue, devices: Collection[str]) -> None:
        """devices: those that are here, the one last on which models are expected."""
        self.sizes = Sizes(self._estimate, self._keep)
        self._catalogue = catalogue
        self._devices = tuple(devices)
        self._news = asyncio.Event()
        self._complete = asyncio.Event()
        self._unwritten: dict[ModelRef, Size] = {}

    async def run(self, js: JetStreamContext) -> None:
        mirror = Mirror(js, SIZES, self._changed)
        async with asyncio.TaskGroup() as group:
            group.create_task(mirror.run())
            group.create_task(self._write(js))
            await mirror.complete.wait()
            self._complete.set()

    async def wait(self) -> None:
        """Until what was remembered is here, or does not come soon."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._complete.wait()

    def _estimate(self, ref: ModelRef) -> Size:
        try:
            variant = self._catalogue.find(ref.model, ref.variant).variant
        except SireneError:
            return Size(self._devices[-1], 0)
        device = self._devices[-1]
        return Size(device, variant.memory_on(device) or variant.size_bytes or 0)

    def _digest(self, ref: ModelRef) -> str:
        try:
            return self._catalogue.find(ref.model, ref.variant).digest
        except SireneError:
            return ""

    def _keep(self, ref: ModelRef, size: Size) -> None:
        self._unwritten[ref] = size
        self._news.set()

    async def _write(self, js: JetStreamContext) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._unwritten:
                ref, size = self._unwritten.popitem()
                value = MeasuredSize(
                    model=ref.model,
                    variant=ref.variant,
                    digest=self._digest(ref),
                    device=size.device,
                    memory_bytes=size.bytes,
                )
                try:
                    await bus.put(js, SIZES, ref.key, value)
                except (NatsError, BusUnavailable, OSError) as error:
                    log.warning("the size of %s is not remembered: %s", ref.id, error)

    def _changed(self, key: str, body: bytes | None) -> None:
        try:
            ref = ModelRef.from_key(key)
            found = MeasuredSize.decode(body) if body else None
        except (InvalidRequest, msgspec.MsgspecError, UnicodeDecodeError):
            log.warning("a remembered size cannot be read: %r", key[:80])
            return
        # A replica with other devices has measured something else.
        if found and found.device in self._devices and found.digest == self._digest(ref):
            self.sizes.recall(ref, Size(found.device, found.memory_bytes))
