"""The downloader's rig with workers that are killed, stopped and traced."""

import asyncio
import os
from contextlib import suppress

from nats.js.errors import NotFoundError

from sirene_downloader.states import States
from sirene_shared import bus, presence
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from sirene_shared.subjects import BUCKETS, COMMANDS, DOWNLOADER_SERVICE, LEASES, PULL_CONSUMER
from tests.faults.invariants import Files, Volume, check_end
from tests.faults.worker import DOWNLOADER, Worker
from tests.integration.downloader.rig import ENDED, REF, Rig

WITHIN_S = 30.0


class FaultRig(Rig):
    def environment(self, **changes: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root.parent),
            "NATS_URL": self._nats_url,
            "SIRENE_MODELS_PATH": str(self.root),
            "SIRENE_MANIFESTS_PATH": str(self.manifests),
            "HF_ENDPOINT": self.hub.url,
            "SIRENE_REPLICA_ID": "worker",
        } | changes

    def worker(self, *, module: str = DOWNLOADER, **changes: str) -> Worker:
        return Worker(self.environment(**changes), self._log, module=module)

    async def at_work(self, *replicas: str) -> list[Worker]:
        """Workers that take commands, one of each name."""
        workers = [self.worker(SIRENE_REPLICA_ID=replica) for replica in replicas]
        for worker in workers:
            worker.go()
        async with asyncio.timeout(WITHIN_S):
            while len(await presence.present(self.nc, DOWNLOADER_SERVICE, within_s=0.2)) < len(
                workers
            ):
                assert all(worker.is_alive for worker in workers), self.log
        return workers

    def volume(self, models: dict[ModelRef, Files]) -> Volume:
        return Volume(self.root, models)

    async def ten_seconds_pass(self, ref: ModelRef = REF) -> None:
        """What they bring after a worker's death: its lease runs out, and its command is free."""
        lease = f"$KV.{LEASES.name}.{ref.key}"
        await self.js.purge_stream(f"KV_{LEASES.name}", subject=lease)
        with suppress(NotFoundError):
            await self.js.delete_consumer(COMMANDS, PULL_CONSUMER)
        await bus.bootstrap_when_ready(self.nc)

    async def forget(self) -> None:
        """An empty bus and no model."""
        for stream in (COMMANDS, *(f"KV_{bucket.name}" for bucket in BUCKETS)):
            await self.js.purge_stream(stream)

    async def is_answered(self) -> bool:
        return (await self.js.stream_info(COMMANDS)).state.messages == 0

    async def revision(self, ref: ModelRef = REF) -> int:
        """Of the model's state: another one when anything was said since."""
        return (await States(self.js).read(ref))[1]

    async def has_ended(self, job: str, ref: ModelRef = REF) -> bool:
        status = await self.status(ref)
        is_over = status is not None and status.job == job and status.state in ENDED
        return is_over and await self.is_answered()

    async def installs(self, job: str, ref: ModelRef = REF, *, within_s: float = WITHIN_S) -> None:
        """The job comes to its end, its command is answered, and that end is "installed"."""
        try:
            async with asyncio.timeout(within_s):
                while not await self.has_ended(job, ref):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{await self.status(ref)}\n{self.log[-4000:]}") from None
        check_end(await self.status(ref), InstallState.INSTALLED, job)
