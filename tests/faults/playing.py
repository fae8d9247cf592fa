"""A script played against Sirene's own downloader."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from nats.js import JetStreamContext

from sirene_downloader.settings import Limits, Settings
from sirene_shared.errors import ModelDamaged, ModelNotInstalled
from sirene_shared.messages import InstallState, ModelStatus
from tests.faults.scripts import INSTALLED, REPO, SOURCE, Script, Stage
from tests.integration.downloader.rig import QUICK, REF, Rig
from tests.support.hub import Hub

CONFIG = b'{"sample_rate": 22050}'
LIMITS = msgspec.structs.replace(QUICK, connect_s=0.5, headers_s=1.5)
DEADLINE_S = 35
# All hosts are on this machine, which is not what a downloader may ask unless it is told so.
NEAR = {
    name: "127.0.0.1:*,localhost:*"
    for name in ("allowed_origins", "private_origins")
    if name in Settings.__struct_fields__
}
LOOK_S = 0.02


class Played(NamedTuple):
    outcome: str
    """INSTALLED, or an error's code."""
    hint: str
    took_s: float
    sent_bytes: int
    """Of the file, by all hosts."""
    staged_bytes: int
    is_retryable: bool


class Player:
    """`async with Player.on(…) as player`, then play(), and retry() if it failed."""

    def __init__(self, script: Script, stage: Stage, rig: Rig) -> None:
        self.script = script
        self.stage = stage
        self.rig = rig

    @classmethod
    @asynccontextmanager
    async def on(
        cls, script: Script, folder: Path, nats_url: str, js: JetStreamContext
    ) -> AsyncIterator["Player"]:
        """A downloader that runs, and a hub on which the script is arranged."""
        hub, elsewhere = Hub(), Hub()
        with hub.serve(), elsewhere.serve():
            stage = set_up(script, hub, elsewhere)
            rig = Rig(folder, hub, nats_url, js)
            rig.write_manifest(_manifest_files(script, stage))
            limits: Limits = msgspec.structs.replace(LIMITS, attempts=script.attempts)
            async with rig.running(limits=limits, hf_token=script.token, **NEAR):
                yield cls(script, stage, rig)

    async def play(self, job: str = "job-1") -> Played:
        """What became of a pull; that nothing half installed was ever to be seen is checked."""
        rig, began = self.rig, time.monotonic()
        await rig.pull(job=job)
        watch = asyncio.create_task(_never_half_installed(rig))
        try:
            status = await rig.reaches(
                InstallState.INSTALLED, InstallState.FAILED, job=job, within_s=DEADLINE_S
            )
        finally:
            watch.cancel()
        await asyncio.wait({watch})
        if not watch.cancelled():
            watch.result()
        took_s = time.monotonic() - began
        await rig.answered()
        return self._played(status, took_s)

    async def retry(self) -> Played:
        """A new pull, once nothing goes wrong any more."""
        self.stage.heal()
        return await self.play("job-2")

    @property
    def files(self) -> dict[str, bytes]:
        """What must be installed."""
        return {"config.json": CONFIG, "model.onnx": self.stage.expected}

    def _played(self, status: ModelStatus, took_s: float) -> Played:
        error = status.error
        hosts = (self.stage.hub, self.stage.elsewhere)
        return Played(
            outcome=INSTALLED if error is None else error.code,
            hint=error.hint if error else "",
            took_s=took_s,
            sent_bytes=sum(host.sent_bytes[SOURCE] for host in hosts),
            staged_bytes=self.rig.staged_bytes(),
            is_retryable=error is not None and error.retryable,
        )


def set_up(script: Script, hub: Hub, elsewhere: Hub) -> Stage:
    stage = Stage(script, hub, elsewhere)
    hub.add(REPO, "small/config.json", CONFIG)
    hub.add(REPO, SOURCE, stage.content)
    elsewhere.add(REPO, SOURCE, stage.content)
    script.arrange(stage)
    return stage


def _manifest_files(script: Script, stage: Stage) -> list[dict[str, object]]:
    knows = {"size": stage.size, "sha256": hashlib.sha256(stage.content).hexdigest()}
    known = {name: value for name, value in knows.items() if name in script.known}
    return [
        {"path": "config.json", "source": "small/config.json"},
        {"path": "model.onnx", "source": SOURCE, **known},
    ]


async def _never_half_installed(rig: Rig) -> None:
    while True:
        if rig.store.directory(REF).exists():
            try:
                rig.store.installed_files(REF)
            except (ModelNotInstalled, ModelDamaged) as error:
                raise AssertionError("half a model is to be seen") from error
        await asyncio.sleep(LOOK_S)
