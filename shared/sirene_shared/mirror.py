"""A bucket's content in memory, kept equal through restarts and wipes of the server."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import Error as JetStreamError

from sirene_shared.subjects import Bucket

log = logging.getLogger(__name__)

# A watcher can go silent without an error; looking again heals it.
REWATCH_S = 60.0
RETRY_S = 0.1
# What is asked while a server starts is never answered, asking again is; but a server whose disk is
# slow needs longer, and so each question waits longer than the one before.
OPEN_S = 1.0
MAX_OPEN_S = 8.0

Changed = Callable[[str, bytes | None], None]


class Mirror:
    """Calls `changed(key, value)` for every new value, and with None for a key that is gone.

    nats-py's own watcher stays silent for seconds after a server's restart, and for ever after a
    bucket was made again; so this one is started afresh, and compares what it sees with what it
    has seen.
    """

    def __init__(self, js: JetStreamContext, bucket: Bucket, changed: Changed) -> None:
        self._js = js
        self._bucket = bucket
        self._changed = changed
        # A bucket made again counts from 1: the time of creation tells the entries apart.
        self._seen: dict[str, tuple[int | None, object]] = {}
        self._deadline: asyncio.Timeout | None = None
        self._open_s = OPEN_S
        self.complete = asyncio.Event()
        """Set once the first snapshot is in."""

    def watch_again(self) -> None:
        """Start afresh at once: call it when the connection is back."""
        if self._deadline is not None:
            with suppress(RuntimeError):  # it ended in this very moment
                self._deadline.reschedule(0)

    async def run(self) -> None:
        while True:
            with suppress(TimeoutError, nats.errors.Error, JetStreamError, OSError):
                async with asyncio.timeout(REWATCH_S) as self._deadline:
                    await self._follow()
            self._deadline = None
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        patience_s, self._open_s = self._open_s, min(self._open_s * 2, MAX_OPEN_S)
        async with asyncio.timeout(patience_s):
            watcher = await (await self._js.key_value(self._bucket.name)).watchall()
        self._open_s = OPEN_S
        snapshot: set[str] = set()
        try:
            async for entry in watcher:
                if entry is None:  # the end of the snapshot
                    for key in self._seen.keys() - snapshot:
                        del self._seen[key]
                        self._changed(key, None)
                    self.complete.set()
                    continue
                snapshot.add(entry.key)
                version = entry.revision, entry.created
                if self._seen.get(entry.key) != version:
                    self._seen[entry.key] = version
                    # Any operation is a removal: deleted, purged, or its time to live is over.
                    self._changed(entry.key, None if entry.operation else entry.value)
        finally:
            # On a closed connection this fails, and would replace the cancel that brought us here.
            with suppress(nats.errors.Error):
                await watcher.stop()  # type: ignore[no-untyped-call]
