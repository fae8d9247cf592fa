"""All pulls together: the queue in its order, pausing and resuming, and what they may use."""

import msgspec
from nats.js.errors import KeyNotFoundError

from sirene_api.answers import DownloadsView, DownloadView, LimitsView, PullView
from sirene_api.catalog import Catalog
from sirene_api.link import BusLink
from sirene_api.pulls import Pulls
from sirene_api.views import TransferView
from sirene_api.wishes import Waiting, Wishes
from sirene_shared import bus
from sirene_shared.errors import InvalidRequest
from sirene_shared.manifest import Model
from sirene_shared.messages import InstallState, PullLimits
from sirene_shared.names import ModelRef
from sirene_shared.subjects import DOWNLOADS_KEY, SETTINGS

AT_WORK = (InstallState.DOWNLOADING, InstallState.VERIFYING)


class Downloads:
    """Raises: BusUnavailable."""

    def __init__(self, catalog: Catalog, link: BusLink, pulls: Pulls, wishes: Wishes) -> None:
        self._catalog = catalog
        self._link = link
        self._pulls = pulls
        self._wishes = wishes

    async def view(self) -> DownloadsView:
        await self._link.wait_for_state()
        lists: dict[str, list[DownloadView]] = {"running": [], "queued": [], "paused": []}
        for one in await self._waiting():
            view = self._view_of(one)
            if view.state in AT_WORK:
                lists["running"].append(view)
            else:
                lists["paused" if view.state is InstallState.PAUSED else "queued"].append(view)
        return DownloadsView(**lists)

    async def _waiting(self) -> list[Waiting]:
        """Without those that have ended, or were cancelled, and are about to leave the queue."""
        return [
            one
            for one in await self._wishes.waiting()
            if one.wish.action != "cancel" and self._is_active(one)
        ]

    def _is_active(self, one: Waiting) -> bool:
        status = self._catalog.status_of_job(one.command.ref, one.command.job)
        return status is None or status.state.is_active

    def _view_of(self, one: Waiting) -> DownloadView:
        ref, job = one.command.ref, one.command.job
        status = self._catalog.status_of_job(ref, job)
        transfer = status.transfer if status else None
        state = status.state if status else InstallState.QUEUED
        if one.wish.action == "pause" and state is InstallState.QUEUED:
            state = InstallState.PAUSED  # no downloader has told it yet
        return DownloadView(
            id=ref.id,
            job=job,
            state=state,
            reason=status.reason if status else "",
            now=one.command.now or one.wish.now,
            requested_at=one.command.requested_at,
            transfer=TransferView.of(transfer) if transfer else None,
        )

    async def pause(self, model: Model) -> PullView:
        """Raises: PullNotFound, BusUnavailable."""
        pull = await self._pulls.found(model.ref)
        await self._wishes.change(model.ref, pull.job, action="pause")
        return pull

    async def resume(self, model: Model, *, now: bool) -> PullView:
        """Raises: PullNotFound, BusUnavailable."""
        pull = await self._pulls.found(model.ref)
        await self._wishes.run_again(model.ref, pull.job, now=now)
        return pull

    async def must_wait(self, model: Model) -> None:
        """Raises: PullNotFound, BusUnavailable."""
        await self._pulls.found(model.ref)

    async def pause_all(self) -> list[PullView]:
        return await self._change_all(action="pause")

    async def resume_all(self, *, now: bool) -> list[PullView]:
        return await self._change_all(action="run", **({"now": True} if now else {}))

    async def cancel_all(self, *, keep: bool) -> list[PullView]:
        return await self._change_all(action="cancel", keep=keep)

    async def _change_all(self, **fields: object) -> list[PullView]:
        await self._link.wait_for_state()
        changed = []
        for one in await self._waiting():
            await self._wishes.change(one.command.ref, one.command.job, **fields)
            view = self._view_of(one)
            changed.append(PullView(id=view.id, job=view.job, state=view.state))
        return changed

    async def put_first(self, refs: list[ModelRef]) -> DownloadsView:
        """These before all others, in this order; those that nobody pulls are passed over.

        Raises: InvalidRequest, BusUnavailable.
        """
        if len(set(refs)) != len(refs):
            raise InvalidRequest("a model is named twice", param="models")
        await self._link.wait_for_state()
        waiting = {one.command.ref: one for one in await self._waiting()}
        chosen = [waiting[ref] for ref in refs if ref in waiting]
        others = [one.wish.rank for ref, one in waiting.items() if ref not in refs]
        lowest = min([0.0, *others])
        # From the last to the first: whoever looks in between sees none overtaken that should not.
        for behind, one in enumerate(reversed(chosen), start=1):
            await self._wishes.change(one.command.ref, one.command.job, rank=lowest - behind)
        return await self.view()

    async def limits(self) -> LimitsView:
        return LimitsView(**msgspec.structs.asdict(await self._limits()))

    async def change_limits(self, changes: dict[str, int | None]) -> LimitsView:
        """Raises: InvalidRequest, BusUnavailable."""
        try:
            chosen = PullLimits.decode(
                msgspec.json.encode(msgspec.structs.asdict(await self._limits()) | changes)
            )
        except msgspec.ValidationError as error:
            raise InvalidRequest(f"that is no limit: {error}", param="limits") from None
        with self._link.asking():
            await bus.put(self._link.jetstream, SETTINGS, DOWNLOADS_KEY, chosen)
        return LimitsView(**msgspec.structs.asdict(chosen))

    async def _limits(self) -> PullLimits:
        with self._link.asking():
            try:
                bucket = await bus.open_bucket(self._link.jetstream, SETTINGS)
                return PullLimits.decode((await bucket.get(DOWNLOADS_KEY)).value or b"{}")
            except (KeyNotFoundError, msgspec.MsgspecError):
                return PullLimits()
