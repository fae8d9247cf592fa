"""A directory that somebody put on the volume by hand: verified like a pull, then recorded.

Only under the model's lease, so that one of several downloaders does it. What is still being copied
is simply not right yet; it is looked at again when it changes.
"""

import asyncio
import logging
import os
from contextlib import nullcontext, suppress
from pathlib import Path

import msgspec
from nats.js import JetStreamContext

from sirene_downloader import volume
from sirene_downloader.checking import Expected, check_all
from sirene_downloader.hub import Described, digests_of
from sirene_downloader.lease import Lease
from sirene_downloader.pull import Workshop
from sirene_downloader.record import files_of, record_of
from sirene_shared.ending import end
from sirene_shared.errors import BusUnavailable, LeaseLost, ModelDamaged, PullError
from sirene_shared.manifest import Model
from sirene_shared.store import RECORD_NAME
from sirene_shared.subjects import HEARTBEAT_S

log = logging.getLogger(__name__)

HUB_S = 30.0


async def adopt(js: JetStreamContext, workshop: Workshop, model: Model) -> None:
    """Write the record, if every file is right; return without it when another one is at it.

    Raises: ModelDamaged saying what is wrong, PullError, BusUnavailable.
    """
    lease = Lease(js, model.ref, f"{workshop.staging.writer}-adopt")
    if not await lease.take():
        return
    keeping = asyncio.create_task(keep(lease))
    try:
        if await workshop.on_disk(workshop.store.record, model.ref) is None:
            await _adopt(workshop, model, lease)
    finally:
        await end({keeping})
        await lease.release()


async def _adopt(workshop: Workshop, model: Model, lease: Lease) -> None:
    folder = workshop.store.directory(model.ref)
    # The record goes into the directory that was looked into, whatever has its name by then.
    descriptor = await workshop.on_disk(os.open, folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        await _verify(workshop, model, lease, folder, descriptor)
    finally:
        os.close(descriptor)


async def _verify(
    workshop: Workshop, model: Model, lease: Lease, folder: Path, descriptor: int
) -> None:
    expected, revision = await expected_files(workshop, model)
    verdicts = await check_all(folder, expected, workshop.executor, durably=True)
    for path, verdict in verdicts.items():
        if not verdict.is_good:
            raise ModelDamaged(
                f"{model.ref.id!r} has no install record, and {path!r} is not right:"
                f" {verdict.state.replace('_', ' ')}",
                hint="Pull it to repair it.",
            )
    record = record_of(model, revision, files_of(verdicts))
    await workshop.on_disk(volume.sync_tree, folder)
    await lease.confirm()
    await workshop.on_disk(
        volume.write_whole_in, descriptor, RECORD_NAME, msgspec.json.encode(record)
    )
    log.info("%s was put here by hand: it is right, and installed now", model.ref.id)


async def expected_files(workshop: Workshop, model: Model) -> tuple[list[Expected], str]:
    """Of the manifest where that says it all, else of the hub. Raises: ModelDamaged."""
    files = model.variant.file_list
    if not all(file.sha256 for file in files):
        asking = asyncio.create_task(workshop.hub.resolve(model, nullcontext))
        await asyncio.wait({asking}, timeout=HUB_S)
        if asking.done():
            with suppress(PullError):
                resolved = asking.result()
                wanted = [Expected(file.path, file.size, file.digests) for file in resolved.files]
                return wanted, resolved.revision
        asking.cancel()
    wanted = by_manifest(model)
    for file in wanted:
        if not file.digests:
            raise ModelDamaged(
                f"{model.ref.id!r} has no install record, and nobody says what {file.path!r}"
                " should be: the hub does not answer",
                hint="Pull it, or let the downloader reach the hub.",
            )
    return wanted, model.variant.revision or ""


def by_manifest(model: Model) -> list[Expected]:
    """Its word alone, which may be no more than the names."""
    nothing = Described(None, None)
    files = model.variant.file_list
    return [Expected(file.path, file.size, digests_of(file, nothing)) for file in files]


async def keep(lease: Lease) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        with suppress(BusUnavailable, LeaseLost):  # confirm() has the last word
            await lease.renew()
