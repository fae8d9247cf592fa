"""A downloader under test: on a real bus, against a real hub, in this process or its own."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_downloader.app import create_app
from sirene_downloader.settings import Limits, Settings
from sirene_downloader.states import States
from sirene_shared import bus, presence
from sirene_shared.errors import BusUnavailable
from sirene_shared.manifest import load_catalogue
from sirene_shared.messages import (
    Control,
    DeleteCommand,
    InstallState,
    ModelStatus,
    Progress,
    PullCommand,
)
from sirene_shared.names import ModelRef
from sirene_shared.store import Store
from sirene_shared.subjects import (
    COMMANDS,
    CONTROL,
    DELETE,
    DOWNLOADER_SERVICE,
    LEASES,
    PROGRESS,
    PULL,
)
from tests.support.hub import Hub
from tests.support.waiting import until

REF = ModelRef("voice", "small")
REPO = "acme/voices"
ENDED = (InstallState.INSTALLED, InstallState.FAILED, InstallState.ABSENT)
QUICK = Limits(connect_s=2, headers_s=2, stall_s=1, attempts=3, backoff_s=0.05, backoff_max_s=0.1)
# Nothing is over before the test says so.
PATIENT = Limits()


class Rig:
    def __init__(self, folder: Path, hub: Hub, nats_url: str, js: JetStreamContext) -> None:
        self.root = folder / "models"
        self.root.mkdir(exist_ok=True)
        self.manifests = folder / "manifests"
        self.manifests.mkdir(exist_ok=True)
        self.store = Store(self.root)
        self.hub = hub
        self.js = js
        self.nc: Client = js._nc
        self._nats_url = nats_url
        self._log = folder / "downloader.log"

    def publish(self, files: dict[str, bytes], *, ref: ModelRef = REF, **known: object) -> None:
        """A model whose files the hub has; known: more of what the manifest says of each file."""
        for path, content in files.items():
            self.hub.add(REPO, f"{ref.variant}/{path}", content)
        self.write_manifest(
            [{"path": path, "source": f"{ref.variant}/{path}", **known} for path in files], ref=ref
        )

    def write_manifest(
        self, files: Sequence[dict[str, object]], *, ref: ModelRef = REF, url: str = ""
    ) -> None:
        path = self.manifests / f"{ref.model}.json"
        manifest = json.loads(path.read_text()) if path.exists() else {"variants": {}}
        manifest |= {
            "name": ref.model,
            "description": "a test",
            "backend": "piper",
            "license": "MIT",
            "defaults": {"variant": ref.variant},
        }
        manifest["variants"][ref.variant] = {
            "files": files,
            "url": url or f"https://huggingface.co/{REPO}/resolve/main/",
        }
        path.write_text(json.dumps(manifest))

    def settings(self, **changes: object) -> Settings:
        values = {
            "nats_url": self._nats_url,
            "models_path": self.root,
            "manifests_path": self.manifests,
            "hf_endpoint": self.hub.url,
            "replica": "test",
        }
        return Settings(**(values | changes))  # type: ignore[arg-type]

    @asynccontextmanager
    async def running(
        self,
        *,
        limits: Limits = QUICK,
        clock: Callable[[], datetime] = datetime.now,
        **changes: object,
    ) -> AsyncIterator[None]:
        """A downloader in this process; clock: its local time of day."""
        chosen = self.settings(**changes)
        catalogue = load_catalogue(chosen.manifests_path)
        app = create_app(chosen, catalogue=catalogue, limits=limits, clock=clock)
        life = asyncio.create_task(app.run())
        try:
            async with asyncio.timeout(20):
                await app.ready.wait()
            yield
        finally:
            app.stop()
            async with asyncio.timeout(20):
                await life

    @asynccontextmanager
    async def running_with(self, files: Sequence[dict[str, object]]) -> AsyncIterator[None]:
        self.write_manifest(files)
        async with self.running():
            yield

    @asynccontextmanager
    async def process(
        self, *prefix: str, **environment: str
    ) -> AsyncIterator["subprocess.Popen[bytes]"]:
        """A downloader in a process of its own; prefix: a command that starts it."""
        process = await self.start(*prefix, **environment)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 20)

    async def start(self, *prefix: str, **environment: str) -> "subprocess.Popen[bytes]":
        """A process that takes commands; the caller ends it."""
        process = self.launch(*prefix, **environment)
        async with asyncio.timeout(20):
            while not await presence.present(self.nc, DOWNLOADER_SERVICE, within_s=0.2):
                assert process.poll() is None, self.log
        return process

    def launch(self, *prefix: str, **environment: str) -> "subprocess.Popen[bytes]":
        chosen = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root.parent),
            "NATS_URL": self._nats_url,
            "SIRENE_MODELS_PATH": str(self.root),
            "SIRENE_MANIFESTS_PATH": str(self.manifests),
            "HF_ENDPOINT": self.hub.url,
            "SIRENE_REPLICA_ID": "process",
        }
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*prefix, sys.executable, "-m", "sirene_downloader"],
                env=chosen | environment,
                stderr=log,
                stdout=log,
            )

    @property
    def log(self) -> str:
        """Of the downloaders in processes of their own."""
        return self._log.read_text()

    async def pull(self, ref: ModelRef = REF, *, job: str = "job-1") -> None:
        command = PullCommand(model=ref.model, variant=ref.variant, job=job)
        await self.js.publish(PULL.of(ref), command.encode(), timeout=5)

    async def forget_lease(self, ref: ModelRef = REF) -> None:
        """As if the time to live of a dead downloader's lease were over."""
        await self.js.purge_stream(f"KV_{LEASES.name}", subject=f"$KV.{LEASES.name}.{ref.key}")

    async def delete(self, ref: ModelRef = REF, *, job: str = "delete-1") -> None:
        command = DeleteCommand(model=ref.model, variant=ref.variant, job=job)
        await self.js.publish(DELETE.of(ref), command.encode(), timeout=5)

    async def cancel(self, job: str, ref: ModelRef = REF, *, keep: bool = False) -> None:
        control = Control(job=job, action="cancel", model=ref.model, variant=ref.variant, keep=keep)
        await self.nc.publish(f"{CONTROL.prefix}.{job}", control.encode())

    async def status(self, ref: ModelRef = REF) -> ModelStatus | None:
        try:
            return (await States(self.js).read(ref))[0]
        except BusUnavailable:
            return None

    async def reaches(
        self,
        *states: InstallState,
        ref: ModelRef = REF,
        job: str = "job-1",
        within_s: float = 30,
    ) -> ModelStatus:
        """The model's state as soon as it is one of `states` by this job."""
        seen: ModelStatus | None = None
        try:
            async with asyncio.timeout(within_s):
                while seen is None or seen.state not in states or seen.job != job:
                    await asyncio.sleep(0.02)
                    seen = await self.status(ref)
        except TimeoutError:
            raise AssertionError(f"it is {seen}, not {states}") from None
        return seen

    async def has_received(self, size_bytes: int, ref: ModelRef = REF) -> None:
        """The downloader says so; what the hub has sent may still be on its way."""
        async with asyncio.timeout(20):
            while True:
                status = await self.status(ref)
                if status and status.transfer and status.transfer.done_bytes >= size_bytes:
                    return
                await asyncio.sleep(0.02)

    async def answered(self) -> None:
        """Every command is out of the queue."""

        async def is_empty() -> bool:
            return (await self.js.stream_info(COMMANDS)).state.messages == 0

        async with asyncio.timeout(15):
            while not await is_empty():
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[list[Progress]]:
        """Every tick from now on, with none missed."""
        ticks: list[Progress] = []

        async def seen(message: object) -> None:
            ticks.append(Progress.decode(message.data))  # type: ignore[attr-defined]

        subscription = await self.nc.subscribe(PROGRESS.all, cb=seen)
        await bus.settle(self.nc)
        yield ticks
        await subscription.unsubscribe()

    def staged_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.store.staging.rglob("*") if path.is_file())

    def check_installed(self, files: dict[str, bytes], ref: ModelRef = REF) -> None:
        """Whole, as recorded, byte by byte; and nothing is left of the way there."""
        record = self.store.record(ref)
        assert record is not None
        assert {file.path: file.sha256 for file in record.files} == {
            path: hashlib.sha256(content).hexdigest() for path, content in files.items()
        }
        for path, place in self.store.installed_files(ref).items():
            assert place.read_bytes() == files[path]
        assert self.staged_bytes() == 0


async def until_sent(hub: Hub, path: str, size_bytes: int) -> None:
    await until(lambda: hub.sent_bytes[path] >= size_bytes, within_s=20)
