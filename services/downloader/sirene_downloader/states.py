"""The install states in the bucket sirene-models, as the downloader writes them."""

import asyncio
import logging
import time

import msgspec
from nats.js import JetStreamContext
from nats.js.errors import APIError, BadRequestError

from sirene_downloader import entries
from sirene_shared import bus
from sirene_shared.errors import BusUnavailable, InvalidRequest
from sirene_shared.messages import ModelStatus
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LEASES, MODELS

log = logging.getLogger(__name__)

RETRY_S = 0.5


class States:
    def __init__(self, js: JetStreamContext) -> None:
        self._js = js

    async def read(self, ref: ModelRef) -> tuple[ModelStatus | None, int]:
        """The model's state and its revision. Raises: BusUnavailable."""
        entry = await entries.read(self._js, MODELS, ref.key)
        if entry.value is None:
            return None, entry.revision
        try:
            return ModelStatus.decode(entry.value), entry.revision
        except msgspec.MsgspecError:
            return None, entry.revision  # of a version that we do not know: ours replaces it

    async def is_leased(self, ref: ModelRef) -> bool:
        """Somebody works on the model. Raises: BusUnavailable."""
        return (await entries.read(self._js, LEASES, ref.key)).value is not None

    async def models(self) -> set[ModelRef]:
        """Every model that has a state. Raises: BusUnavailable."""
        found = set()
        for key in await entries.keys(self._js, MODELS):
            try:
                found.add(ModelRef.from_key(key))
            except InvalidRequest:
                log.warning("the bucket %s has a key that is no model: %r", MODELS.name, key)
        return found

    async def put(self, status: ModelStatus, *, last: int | None = None) -> bool:
        """Write; False when `last` is no longer the current revision, or, without it, when a later
        run of the same job has spoken: its numbers are higher, and ours was stopped meanwhile.

        Raises: BusUnavailable.
        """
        while last is None:
            known, revision = await self.read(status.ref)
            if known is not None and known.job == status.job and known.seq >= status.seq:
                return False
            if await self.put(status, last=revision):
                return True
        status = msgspec.structs.replace(status, changed_at=time.time())
        try:
            await bus.put(self._js, MODELS, status.ref.key, status, last=last)
        except BadRequestError:
            return False
        except APIError as error:
            raise BusUnavailable("the state could not be written") from error
        return True

    async def put_surely(self, status: ModelStatus) -> bool:
        """put(), however long the bus is gone."""
        while True:
            try:
                return await self.put(status)
            except BusUnavailable:
                await asyncio.sleep(RETRY_S)

    async def forget(self, ref: ModelRef, revision: int) -> None:
        """Raises: BusUnavailable."""
        await entries.remove(self._js, MODELS, ref.key, revision)
