"""What is left of pulls that did not end with an install: seen, counted, and collected.

A draft is in use while a pull works on it, and while a command waits that will go on with it. Any
other is collected when nothing has changed in it for a time, or on request; never by age alone. A
draft in the corner of another living downloader is left to that one.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from nats.js import JetStreamContext

from sirene_downloader import entries, space
from sirene_downloader.backlog import Backlog
from sirene_downloader.draft import Draft
from sirene_downloader.lease import Lease
from sirene_downloader.pull import Workshop
from sirene_downloader.staging import Staging
from sirene_downloader.tree import below, children
from sirene_shared.errors import BusUnavailable, InvalidRequest, PullError
from sirene_shared.inquiries import LeftPart
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LEASES

log = logging.getLogger(__name__)

# Not at once: after a restart the commands that go on with a draft are not known yet.
LOOK_S = 600.0


class Parts:
    """Raises: BusUnavailable, PullError."""

    def __init__(self, js: JetStreamContext, backlog: Backlog, workshop: Workshop) -> None:
        self._js = js
        self._backlog = backlog
        self._workshop = workshop

    async def left(self, key: str = "") -> list[LeftPart]:
        """key: of one model; empty: all."""
        work = self._workshop
        found = await work.on_disk(lambda: list(_drafts(work.staging)))
        used = {
            ref: await self._is_used(ref)
            for ref in {ref for ref, *_ in found if key in ("", ref.key)}
        }
        return [
            LeftPart(
                model=ref.model,
                variant=ref.variant,
                writer=writer,
                size_bytes=size_bytes,
                changed_at=changed_at,
                in_use=used[ref],
                is_orphan=not lives,
            )
            for ref, writer, size_bytes, changed_at, lives in found
            if ref in used
        ]

    async def collect(self, key: str = "", *, older_than_s: float = 0.0) -> list[LeftPart]:
        """Remove what is not in use and has not changed for so long; what was removed."""
        limit, removed = time.time() - older_than_s, []
        for part in await self.left(key):
            if part.in_use or (older_than_s and part.changed_at > limit):
                continue
            if await self._remove(part):
                log.info(
                    "what was left of %s:%s is removed: %d bytes",
                    *(part.model, part.variant, part.size_bytes),
                )
                removed.append(part)
        return removed

    async def _remove(self, part: LeftPart) -> bool:
        work, ref = self._workshop, ModelRef(part.model, part.variant)
        if not part.is_orphan and part.writer != work.staging.writer:
            return False
        lease = Lease(self._js, ref, f"{work.staging.writer}-collect")
        if not await lease.take():
            return False
        try:
            if await self._backlog.pull(ref) is not None:
                return False
            await work.on_disk(work.staging.discard, ref)
            await work.on_disk(work.staging.sweep)
        finally:
            await lease.release()
        return True

    async def _is_used(self, ref: ModelRef) -> bool:
        if await self._backlog.pull(ref) is not None:
            return True
        return (await entries.read(self._js, LEASES, ref.key)).value is not None


def _drafts(staging: Staging) -> Iterator[tuple[ModelRef, str, int, float, bool]]:
    """Model, writer, bytes on the disk, when it changed last, whether its writer lives."""
    for corner, lives in staging.corners():
        for draft in children(corner):
            try:
                ref = ModelRef.from_key(draft.name)
            except InvalidRequest:
                continue  # the lock, the trash
            if draft.is_dir() and not draft.is_symlink():
                yield ref, corner.name, space.allocated_bytes(draft), _changed_at(draft), lives


def _changed_at(draft: Path) -> float:
    times = [found.st_mtime for _, found in below(draft)]
    with suppress(FileNotFoundError):
        times.append(draft.lstat().st_mtime)
    return max(times, default=0.0)


async def keep_collecting(parts: Parts, older_than_s: float) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await parts.collect(older_than_s=older_than_s)
        except (BusUnavailable, PullError) as error:
            log.debug("nothing is collected now: %s", error.message)
        except Exception:
            log.exception("what is left of pulls could not be collected; once more in a while")


def kept_bytes(staging: Staging, key: str, lengths: dict[str, int]) -> int:
    """How much of the files with these lengths the fullest draft of the model has; a pull hashes it
    before it believes. Blocks. Raises: OSError."""
    drafts = [Draft(corner / key) for corner, _ in staging.corners()]
    return max(
        (
            sum(min(draft.kept_bytes(path), length) for path, length in lengths.items())
            for draft in drafts
        ),
        default=0,
    )
