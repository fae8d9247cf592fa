"""What a pull would meet, told before it begins: the space, the hub's word on us, the licence."""

import asyncio
import logging
from contextlib import nullcontext
from functools import partial

from sirene_downloader import parts, shelf, space
from sirene_downloader.hub import Resolved
from sirene_downloader.hub_token import HubToken
from sirene_downloader.pull import SPARE_BYTES, Workshop, no_room
from sirene_downloader.remote import RemoteFile
from sirene_downloader.request import Client, Interrupted
from sirene_downloader.settings import Limits
from sirene_shared.errors import (
    HubForbidden,
    HubTokenRefused,
    HubUnauthorized,
    HubUnavailable,
    PullError,
    SireneError,
)
from sirene_shared.inquiries import Preflight, TokenVerdict
from sirene_shared.manifest import Model

log = logging.getLogger(__name__)

# A hub that needs longer is told as one that does not answer.
HUB_S = 15.0


class Preflights:
    def __init__(self, workshop: Workshop, client: Client, token: HubToken) -> None:
        self._work = workshop
        self._client = client
        self._token = token

    async def look(self, model: Model) -> Preflight:
        """Raises: VolumeUnwritable."""
        work, ref = self._work, model.ref
        error: SireneError | None = None
        gated = model.variant.gated
        total: int | None
        missing: int | None
        room = await work.on_disk(space.look, work.staging, ref.key)
        record = await work.installed(ref)
        if record is not None and record.manifest_digest == model.digest:
            total, missing = record.size_bytes, 0
            verdict = TokenVerdict.UNKNOWN if model.variant.gated else TokenVerdict.NOT_NEEDED
        else:
            resolved, error = await self._ask(model)
            total = missing = model.variant.size_bytes
            if resolved is not None:
                gated |= resolved.gated
                total = sum(file.size for file in resolved.files)
                missing = total - await self._here(model, resolved.files)
            verdict = self._verdict(gated, error)
        fits = None
        if missing is not None:
            needed = missing + (SPARE_BYTES if missing else 0)
            fits = needed <= room.left
            if not fits and error is None:
                error = no_room(ref, needed, room)
        return Preflight(
            total_bytes=total,
            missing_bytes=missing,
            free_bytes=max(0, room.left),
            reserved_bytes=room.reserved,
            fits=fits,
            license=model.manifest.license_of(ref.variant),
            gated=gated or isinstance(error, HubUnauthorized | HubTokenRefused | HubForbidden),
            token=verdict,
            error=error.failure() if error else None,
        )

    async def _ask(self, model: Model) -> tuple[Resolved | None, SireneError | None]:
        """What the hub says of the files, and whether it gives us the first one."""
        task = asyncio.create_task(self._resolve(model))
        done, _ = await asyncio.wait({task}, timeout=HUB_S)
        if not done:
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)
            return None, HubUnavailable("the hub does not answer", hint="Try again later.")
        return task.result()

    async def _resolve(self, model: Model) -> tuple[Resolved | None, SireneError | None]:
        resolved = None
        try:
            resolved = await self._work.hub.resolve(model, nullcontext)
            first = resolved.files[0]
            knock = partial(self._knock, first.path)
            await self._work.hub.sources().first((first.url, *first.fallbacks), knock)
        except PullError as error:
            return resolved, error
        return resolved, None

    async def _knock(self, path: str, url: str, _: Limits, __: PullError | None) -> None:
        """Whether that origin would give us the file. Raises: PullError."""
        try:
            async with self._client.request("HEAD", url, path):
                pass
        except Interrupted as interruption:
            raise interruption.error from interruption

    async def _here(self, model: Model, files: tuple[RemoteFile, ...]) -> int:
        """Bytes that need not be fetched; every file counts once."""
        work = self._work
        offers = await work.on_disk(shelf.Shelf, work.store, model.ref)
        shared = await work.on_disk(offers.shared_bytes, files)
        rest = {file.path: file.size for file in files if file.path not in shared}
        kept = await work.on_disk(parts.kept_bytes, work.staging, model.ref.key, rest)
        return sum(shared.values()) + kept

    def _verdict(self, gated: bool, error: SireneError | None) -> TokenVerdict:
        has_token = bool(self._token.value)
        if isinstance(error, HubTokenRefused):
            return TokenVerdict.WRONG
        if isinstance(error, HubUnauthorized):
            return TokenVerdict.WRONG if has_token else TokenVerdict.NONE
        if isinstance(error, HubForbidden):
            return TokenVerdict.TERMS_NOT_ACCEPTED if has_token else TokenVerdict.NONE
        if not gated:
            return TokenVerdict.NOT_NEEDED
        if error is not None:
            return TokenVerdict.UNKNOWN if has_token else TokenVerdict.NONE
        return TokenVerdict.OK if has_token else TokenVerdict.NOT_NEEDED
