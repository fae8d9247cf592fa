"""One model's draft in our hands alone, for as long as files are brought or installed.

Between two requests it is parked, for whichever downloader gets the next one.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from nats.js import JetStreamContext

from sirene_downloader import space
from sirene_downloader.backlog import Backlog
from sirene_downloader.draft import Draft
from sirene_downloader.lease import Lease
from sirene_downloader.pull import Workshop
from sirene_shared.ending import end
from sirene_shared.errors import BusUnavailable, LeaseLost, ModelInUse, PullError
from sirene_shared.names import ModelRef
from sirene_shared.subjects import HEARTBEAT_S

log = logging.getLogger(__name__)


class Custody:
    def __init__(self, js: JetStreamContext, backlog: Backlog, workshop: Workshop) -> None:
        self._js = js
        self._backlog = backlog
        self._work = workshop

    @asynccontextmanager
    async def of(self, ref: ModelRef) -> AsyncIterator[tuple[Lease, Draft]]:
        """Alone with the model's draft. Raises: ModelInUse, BusUnavailable, VolumeUnwritable."""
        work = self._work
        # A name of its own: the same one would be taken for us.
        holder = f"{work.staging.writer}-import-{secrets.token_hex(4)}"
        lease = Lease(self._js, ref, holder)
        await self._must_not_be_pulled(ref)
        if not await lease.take():
            raise ModelInUse(
                f"somebody else works on the files of {ref.id!r} now",
                hint="Send one file after the other, and try again in a moment.",
                param="model",
                retry_after_s=1,
            )
        over = asyncio.Event()
        keeping = asyncio.create_task(_keep(lease, over))
        try:
            await self._must_not_be_pulled(ref)
            draft = await work.on_disk(work.staging.draft, ref)
            try:
                yield lease, draft
            finally:
                await self._leave(draft, ref)
        finally:
            over.set()
            await _let_go(lease, keeping)

    async def _must_not_be_pulled(self, ref: ModelRef) -> None:
        if await self._backlog.pull(ref) is not None:
            raise ModelInUse(
                f"a pull of {ref.id!r} runs, waits or is paused",
                hint=f"Cancel it first: sirene cancel {ref.id}",
                param="model",
            )

    async def _leave(self, draft: Draft, ref: ModelRef) -> None:
        with suppress(PullError):
            await self._work.on_disk(space.release, draft.tree.parent)
        try:
            await self._work.on_disk(self._work.staging.park, ref)
        except PullError as error:
            log.warning("what came of %s was not laid aside: %s", ref.id, error.message)


async def _keep(lease: Lease, over: asyncio.Event) -> None:
    while not over.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                await over.wait()
                return
        with suppress(BusUnavailable, LeaseLost):  # confirm() has the last word
            await lease.renew()


async def _let_go(lease: Lease, keeping: "asyncio.Task[None]") -> None:
    """So that the next request has the lease at once.

    A renewal is not cut short, and one more is made: while the disk syncs a large file, one may
    have timed out that was written all the same, and only the last one can be released.
    """
    try:
        await asyncio.wait({keeping})
        with suppress(BusUnavailable, LeaseLost):
            await lease.renew()
    finally:
        await end({keeping})
        await lease.release()
