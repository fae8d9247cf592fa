"""What a replica could not load is looked at: every byte, against what was recorded."""

import asyncio
import logging
from pathlib import Path

import msgspec
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from sirene_downloader import volume
from sirene_downloader.adoption import keep
from sirene_downloader.checking import check_all, expected_of
from sirene_downloader.lease import Lease
from sirene_downloader.pull import Workshop
from sirene_downloader.states import StateRefused, States
from sirene_shared.ending import end
from sirene_shared.errors import BusUnavailable, ModelDamaged, PullError
from sirene_shared.messages import InstallState, ModelStatus, Suspicion
from sirene_shared.names import ModelRef
from sirene_shared.store import RECORD_NAME

log = logging.getLogger(__name__)


class Doubt:
    def __init__(self, js: JetStreamContext, states: States, workshop: Workshop) -> None:
        self._js = js
        self._states = states
        self._workshop = workshop
        self._looking: dict[ModelRef, asyncio.Task[None]] = {}

    async def hear(self, message: Msg) -> None:
        """Returns at once: hashing takes a while."""
        try:
            suspicion = Suspicion.decode(message.data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("a suspicion does not fit: %s", error)
            return
        ref = suspicion.ref
        if ref not in self._looking:
            self._looking[ref] = asyncio.create_task(self._look(suspicion))
            self._looking[ref].add_done_callback(lambda task: self._looking.pop(ref))

    async def close(self) -> None:
        await end(self._looking.values())

    async def _look(self, suspicion: Suspicion) -> None:
        ref, work = suspicion.ref, self._workshop
        try:
            lease = Lease(self._js, ref, f"{work.staging.writer}-doubt")
            if not await lease.take():
                return  # somebody writes it: what was loaded is not what will be there
            keeping = asyncio.create_task(keep(lease))
            try:
                await self._judge(suspicion, lease)
            finally:
                await end({keeping})
                await lease.release()
        except (BusUnavailable, PullError) as error:
            log.warning("%s could not be looked at: %s", ref.id, error.message)
        except StateRefused as error:
            log.warning("%s was looked at for nothing: %s", ref.id, error)

    async def _judge(self, suspicion: Suspicion, lease: Lease) -> None:
        """Raises: BusUnavailable, LeaseLost, DiskFull, VolumeUnwritable, StateRefused."""
        ref, work = suspicion.ref, self._workshop
        status, revision = await self._states.read(ref)
        if status is None or status.state is not InstallState.INSTALLED:
            return
        record = await work.installed(ref)
        if record is None or suspicion.installed_at != record.installed_at:
            return
        folder = work.store.directory(ref)
        verdicts = await check_all(folder, expected_of(record), work.executor)
        altered = next((path for path, verdict in verdicts.items() if not verdict.is_good), None)
        await lease.confirm()
        if altered:
            # Without its record it stays damaged, until a pull has made it whole.
            await work.on_disk(_disown, folder)
            error = ModelDamaged(
                f"{altered!r} of {ref.id!r} is not what was installed", hint="Pull it to repair it."
            )
        else:
            error = ModelDamaged(suspicion.reason, hint="Delete the model and pull it again.")
        log.warning("%s is damaged: %s", ref.id, error.message)
        await self._states.put(
            ModelStatus(
                model=ref.model,
                variant=ref.variant,
                state=InstallState.DAMAGED,
                size_bytes=record.size_bytes,
                revision=record.revision,
                error=error.failure(),
            ),
            last=revision,
        )


def _disown(folder: Path) -> None:
    (folder / RECORD_NAME).unlink(missing_ok=True)
    volume.sync_directory(folder)
