"""What only a downloader can tell, asked of any one of them: preflights, verifications, parts."""

from contextlib import suppress

import nats.errors

from sirene_api.catalog import Catalog
from sirene_api.downloaders import decoded, nobody
from sirene_api.following import follow
from sirene_api.http_errors import body_of
from sirene_api.link import BusLink
from sirene_api.placement import device_of, room
from sirene_api.volume_answers import (
    FileCheck,
    PartList,
    PartView,
    PreflightView,
    VerificationView,
)
from sirene_shared.errors import BusUnavailable
from sirene_shared.inquiries import (
    FileState,
    PartsReply,
    PartsRequest,
    Preflight,
    PreflightRequest,
    Verification,
    VerifyRequest,
)
from sirene_shared.manifest import Model, Variant
from sirene_shared.messages import Control
from sirene_shared.names import ModelRef
from sirene_shared.subjects import CONTROL, PARTS, PREFLIGHT, VERIFY

# A downloader gives the hub 15 s.
PREFLIGHT_S = 25.0
PARTS_S = 30.0


class Inquiries:
    def __init__(self, catalog: Catalog, link: BusLink) -> None:
        self._catalog = catalog
        self._link = link

    async def preflight(self, model: Model) -> PreflightView:
        """Raises: BusUnavailable, what the downloader cannot read of its volume."""
        await self._link.wait_for_state()
        ref = model.ref
        request = PreflightRequest(model=ref.model, variant=ref.variant)
        body = await self._ask(PREFLIGHT.of(ref), request.encode(), PREFLIGHT_S)
        told = decoded(Preflight, body)
        wanted, memory = self._memory_bytes(model.variant)
        return PreflightView(
            id=ref.id,
            total_bytes=told.total_bytes,
            missing_bytes=told.missing_bytes,
            free_bytes=told.free_bytes,
            reserved_bytes=told.reserved_bytes,
            fits=told.fits,
            license=told.license or model.manifest.license_of(ref.variant),
            gated=told.gated,
            token=told.token,
            memory_bytes=wanted,
            memory_free_bytes=memory,
            fits_memory=None if wanted is None or memory is None else wanted <= memory,
            error=body_of(told.error) if told.error else None,
        )

    def _memory_bytes(self, variant: Variant) -> tuple[int | None, int | None]:
        """What it takes where it fits best, and what that replica could give it, its other models
        unloaded."""
        known = (each for each in self._catalog.replicas.values() if each.memory_total_bytes)
        asked = [(variant.memory_on(device_of(each)), room(each)) for each in known]
        if not asked:
            return variant.memory, None
        return max(asked, key=lambda each: each[1] - (each[0] or 0))

    async def verify(self, model: Model, job: str) -> VerificationView:
        """Raises: BusUnavailable, ModelNotInstalled, ModelDamaged."""
        await self._link.wait_for_state()
        ref = model.ref
        request = VerifyRequest(model=ref.model, variant=ref.variant, job=job)
        told = Verification()
        try:
            told = await follow(self._link, VERIFY.of(ref), request.encode(), Verification)
        finally:
            if not told.is_over:
                await self._cancel(ref, job)
        return VerificationView(
            id=ref.id,
            ok=all(file.state is FileState.OK for file in told.files),
            checked_bytes=told.checked_bytes,
            total_bytes=told.total_bytes,
            files=[
                FileCheck(path=file.path, size_bytes=file.size, state=file.state)
                for file in told.files
            ],
        )

    async def _cancel(self, ref: ModelRef, job: str) -> None:
        order = Control(job=job, action="cancel", model=ref.model, variant=ref.variant)
        with suppress(BusUnavailable), self._link.asking() as client:
            await client.publish(f"{CONTROL.prefix}.{job}", order.encode())

    async def parts(self, *, delete: bool, ref: ModelRef | None) -> PartList:
        """Raises: BusUnavailable, VolumeUnwritable."""
        request = PartsRequest(delete=delete, model=ref.key if ref else "")
        told = decoded(PartsReply, await self._ask(PARTS.all, request.encode(), PARTS_S))
        if told.error:
            raise told.error.error()
        parts = [
            PartView(
                id=ModelRef(part.model, part.variant).id,
                writer=part.writer,
                size_bytes=part.size_bytes,
                changed_at=part.changed_at,
                in_use=part.in_use,
                is_orphan=part.is_orphan,
            )
            for part in told.parts
        ]
        return PartList(parts=parts, total_bytes=sum(part.size_bytes for part in parts))

    async def _ask(self, subject: str, body: bytes, within_s: float) -> bytes:
        with self._link.asking() as client:
            try:
                return (await client.request(subject, body, timeout=within_s)).data
            except (nats.errors.NoRespondersError, nats.errors.TimeoutError):
                raise nobody() from None
