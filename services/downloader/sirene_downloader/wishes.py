"""What is wanted of the pulls that were commanded: mirrored from their bucket."""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from nats.js import JetStreamContext
from nats.js.errors import BadRequestError

from sirene_downloader import entries
from sirene_shared import bus
from sirene_shared.errors import InvalidRequest
from sirene_shared.messages import PullCommand, Wish
from sirene_shared.mirror import Mirror
from sirene_shared.names import ModelRef
from sirene_shared.subjects import WISHES

log = logging.getLogger(__name__)


class Wishes:
    def __init__(self, js: JetStreamContext, changed: Callable[[], None]) -> None:
        self._js = js
        self._changed = changed
        self._known: dict[ModelRef, Wish] = {}
        self.mirror = Mirror(js, WISHES, self._take)

    @property
    def complete(self) -> asyncio.Event:
        """Set once they are known: before, a paused pull would look like any other."""
        return self.mirror.complete

    def of(self, command: PullCommand) -> Wish:
        wish = self._known.get(command.ref)
        if wish is not None and wish.job == command.job:
            return wish
        return Wish(model=command.model, variant=command.variant, job=command.job)

    def all(self) -> dict[ModelRef, Wish]:
        return dict(self._known)

    async def change(self, command: PullCommand, **fields: object) -> None:
        """Raises: BusUnavailable."""
        entry = await entries.read(self._js, WISHES, command.ref.key)
        wish = _decoded(entry.value)
        if wish is None or wish.job != command.job:
            wish = Wish(model=command.model, variant=command.variant, job=command.job)
        changed = msgspec.structs.replace(wish, **fields)
        try:
            await bus.put(self._js, WISHES, command.ref.key, changed, last=entry.revision)
        except BadRequestError:
            log.debug("somebody else just said what is wanted of %s", command.ref.id)

    async def forget(self, wish: Wish) -> None:
        """Its command is gone. Raises: BusUnavailable."""
        entry = await entries.read(self._js, WISHES, wish.ref.key)
        if _decoded(entry.value) == wish:
            await entries.remove(self._js, WISHES, wish.ref.key, entry.revision)

    def _take(self, key: str, value: bytes | None) -> None:
        try:
            ref = ModelRef.from_key(key)
        except InvalidRequest:
            return
        wish = _decoded(value)
        if wish is None or wish.ref != ref:
            self._known.pop(ref, None)
        else:
            self._known[ref] = wish
        self._changed()


def _decoded(value: bytes | None) -> Wish | None:
    try:
        return Wish.decode(value) if value else None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("a wish cannot be read: %s", error)
        return None
