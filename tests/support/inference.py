"""The inference service as a real process, and what the API asks of it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from pathlib import Path

import msgspec
import psutil
from nats.aio.client import Client

from sirene_inference.runner_process import RUNNER_NAME
from sirene_shared import presence, speech_stream
from sirene_shared.inference_requests import (
    LoadReply,
    LoadRequest,
    SpeakRequest,
    UnloadReply,
    UnloadRequest,
)
from sirene_shared.messages import ReplicaStatus
from sirene_shared.names import ModelRef
from sirene_shared.speech_stream import Frame, NobodySpeaks
from sirene_shared.subjects import INFERENCE_SERVICE, LOAD, REPLICAS, SPEAK, UNLOAD
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until_true

START_S = 20.0
ANSWER_S = 30.0
GONE_S = 10.0


class InferenceProcess:
    """`python -m sirene_inference` with the settings of a test."""

    def __init__(self, url: str, volume: ModelsVolume, log: Path, **settings: object) -> None:
        self.replica = str(settings.get("SIRENE_REPLICA_ID", "replica-1"))
        self.log = log
        environ = os.environ | {
            "NATS_URL": url,
            "SIRENE_MODELS_PATH": str(volume.root),
            "SIRENE_MANIFESTS_PATH": str(volume.manifests),
            "SIRENE_REPLICA_ID": self.replica,
            "INFERENCE_CACHE_PATH": str(volume.root.parent / "cache"),
            "INFERENCE_THREADS": "1",
            "HF_TOKEN": "hf_a_secret_that_no_runner_may_see",
            **{name: str(value) for name, value in settings.items()},
        }
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sirene_inference"],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.pid = self._process.pid

    def children(self) -> list[psutil.Process]:
        """Runners, what they started, and what they were forked from."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def runners(self) -> list[psutil.Process]:
        return [child for child in self.children() if is_runner(child)]

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        """Kill what is left; the runners follow by themselves."""
        children = self.children()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        gone = until_true(lambda: are_gone(children), within_s=GONE_S)
        assert gone, f"left behind: {children}"


def is_runner(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.name() == RUNNER_NAME and process.status() != psutil.STATUS_ZOMBIE
    return False


def are_gone(processes: Iterable[psutil.Process]) -> bool:
    """Also when nobody has asked for their exit status yet."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                return False
    return True


class Inference:
    """The bus's side of it, as the API sees it."""

    def __init__(self, nc: Client) -> None:
        self.nc = nc

    async def ready(self, *processes: InferenceProcess) -> None:
        async with asyncio.timeout(START_S):
            while True:
                found = await presence.present(self.nc, INFERENCE_SERVICE)
                if {process.replica for process in processes} <= set(found):
                    return
                for process in processes:
                    assert process.status is None, process.log.read_text()
                await asyncio.sleep(0.02)

    async def load(self, ref: ModelRef, wait_s: float = 20.0) -> LoadReply:
        request = LoadRequest(model=ref.model, variant=ref.variant, wait_s=wait_s)
        reply = await self.nc.request(LOAD.of(ref), request.encode(), timeout=ANSWER_S)
        return LoadReply.decode(reply.data)

    async def unload(self, ref: ModelRef, wait_s: float = 20.0) -> UnloadReply:
        """The reply of the one replica there is."""
        request = UnloadRequest(model=ref.model, variant=ref.variant, wait_s=wait_s)
        reply = await self.nc.request(UNLOAD.of(ref), request.encode(), timeout=ANSWER_S)
        return UnloadReply.decode(reply.data)

    async def frames(
        self, ref: ModelRef, text: str, **options: object
    ) -> AsyncGenerator[Frame, None]:
        """Speak, and load when nobody does: what the API does, over and over."""
        request = msgspec.convert(
            {"model": ref.model, "variant": ref.variant, "request_id": "r", "text": text} | options,
            SpeakRequest,
        )
        async with asyncio.timeout(ANSWER_S):
            while True:
                try:
                    stream = speech_stream.receive(self.nc, SPEAK.of(ref), request.encode())
                    async with aclosing(stream):
                        async for frame in stream:
                            yield frame
                    return
                except NobodySpeaks:
                    reply = await self.load(ref)
                    if reply.error:
                        raise reply.error.error() from None

    async def speak(self, ref: ModelRef, text: str, **options: object) -> tuple[bytes, int]:
        """(s16le, Hz)."""
        frames = [frame async for frame in self.frames(ref, text, **options)]
        return b"".join(frame.samples for frame in frames), frames[0].sample_rate

    async def replica(self, name: str = "replica-1") -> ReplicaStatus | None:
        bucket = await self.nc.jetstream().key_value(REPLICAS.name)
        try:
            entry = await bucket.get(name)
        except Exception:  # noqa: BLE001 - gone, or the bus is
            return None
        return ReplicaStatus.decode(entry.value) if entry.value else None
