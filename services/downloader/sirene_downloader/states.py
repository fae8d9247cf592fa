"""The install states in the bucket sirene-models, as the downloader writes them."""

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


class StateRefused(Exception):
    """The bucket does not take states as they are: nothing that trying again would change."""


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

    async def put(self, status: ModelStatus, *, last: int) -> int | None:
        """Write; the new revision, or None when `last` is no longer the current one.

        Raises: BusUnavailable, StateRefused.
        """
        status = msgspec.structs.replace(status, changed_at=time.time())
        try:
            return await bus.put(self._js, MODELS, status.ref.key, status, last=last)
        except BadRequestError as error:
            if error.err_code in entries.WRONG_LAST:
                return None
            raise StateRefused(f"the bus refuses a state: {error.description}") from error
        except APIError as error:
            raise BusUnavailable("the state could not be written") from error

    async def forget(self, ref: ModelRef, revision: int) -> None:
        """Raises: BusUnavailable."""
        await entries.remove(self._js, MODELS, ref.key, revision)
