"""From a model's name to a voice in memory: its files, a runner, the load, the measure."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial

from sirene_inference import memory, pipe
from sirene_inference.breaker import Breaker
from sirene_inference.request import Request
from sirene_inference.runner import Runner
from sirene_inference.settings import Settings
from sirene_inference.templates import Templates
from sirene_shared.errors import ModelDamaged, ModelsBusy
from sirene_shared.manifest import Catalogue
from sirene_shared.names import ModelRef
from sirene_shared.speech_stream import Frame
from sirene_shared.store import Store

log = logging.getLogger(__name__)


class LoadedVoice:
    """A model in a runner of its own. At most `slots` requests speak at a time, others wait."""

    def __init__(
        self,
        ref: ModelRef,
        runner: Runner,
        loaded: pipe.Loaded,
        disk: Executor,
        *,
        slots: int,
        wait_s: float,
        spoke: Callable[[], None] = lambda: None,
    ) -> None:
        """spoke: called after each speech that came to its end."""
        self.ref = ref
        self.device = loaded.device.partition(":")[0]
        self.voices = loaded.voices
        self.sample_rate = loaded.sample_rate
        self.pid = runner.pid
        self.ended = runner.ended
        self.memory_bytes = 0
        self.load_s = 0.0
        self._runner = runner
        self._disk = disk
        self._slots = asyncio.Semaphore(slots)
        self._wait_s = wait_s
        self._spoke = spoke

    async def speak(self, request: Request) -> AsyncGenerator[Frame, None]:
        """Raises: as Runner.speak(), ModelsBusy."""
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError:
            raise ModelsBusy(
                f"{self.ref.id!r} is speaking for others", hint="Try again.", retry_after_s=2
            ) from None
        try:
            async with aclosing(self._runner.speak(self.ref.id, request)) as frames:
                async for frame in frames:
                    yield frame
            self._spoke()
        finally:
            self._slots.release()

    async def measure(self) -> int:
        """Bytes it takes now."""
        loop = asyncio.get_running_loop()
        self.memory_bytes = await loop.run_in_executor(
            self._disk, memory.measure_on, self.device, self.pid
        )
        return self.memory_bytes

    async def close(self) -> int:
        """End the runner and return how many bytes that gave back."""
        before = await self.measure()
        await self._runner.close()
        return before - await self.measure()


class Loader:
    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        disk: Executor,
        templates: Templates,
        breaker: Breaker | None = None,
        damaged: Callable[[ModelRef, ModelDamaged], Awaitable[None]] | None = None,
    ) -> None:
        """disk: for what blocks. templates: make the runners. breaker: its own by default.
        damaged: told of files that are not what they should be.
        """
        self._settings = settings
        self._catalogue = catalogue
        self._store = Store(settings.models_path)
        self._disk = disk
        self._templates = templates
        self._breaker = breaker or Breaker()
        self._damaged = damaged

    async def __call__(self, ref: ModelRef) -> LoadedVoice:
        """As load(), and what is damaged is told to whoever can repair it."""
        try:
            return await self.load(ref)
        except ModelDamaged as error:
            if self._damaged:
                await self._damaged(ref, error)
            raise

    async def load(self, ref: ModelRef) -> LoadedVoice:
        """Raises: ModelNotFound, VariantNotFound, ModelNotInstalled, ModelDamaged, LoadFailed,
        BackendMissing, OutOfMemory, RunnerCrashed, RunnerUnstable."""
        started = time.monotonic()
        model = self._catalogue.find(ref.model, ref.variant)
        loop = asyncio.get_running_loop()
        files = await loop.run_in_executor(self._disk, self._store.installed_files, ref)
        await asyncio.sleep(self._breaker.pause_s(ref))
        process = await self._templates.start(model.manifest.backend)
        runner = Runner(
            process,
            ref.id,
            stall_s=self._settings.stall_timeout_s,
            crashed=partial(self._breaker.crashed, ref),
        )
        try:
            loaded = await runner.load(
                pipe.Load(
                    id=runner.next_id(),
                    model=ref.id,
                    manifest=model.manifest,
                    variant=ref.variant,
                    files={name: str(path) for name, path in files.items()},
                    device=self._settings.device,
                    threads=self._settings.engine_threads,
                    cache=str(self._settings.cache_path.expanduser()),
                    cache_bytes=self._settings.cache_bytes,
                ),
                within_s=self._settings.load_timeout_s,
            )
            voice = LoadedVoice(
                ref,
                runner,
                loaded,
                self._disk,
                slots=self._settings.concurrency,
                wait_s=self._settings.busy_wait_s,
                spoke=partial(self._breaker.spoke, ref),
            )
            await voice.measure()
        except BaseException:  # also when cancelled: no runner is left behind
            await runner.close()
            raise
        voice.load_s = time.monotonic() - started
        log.info(
            "loaded %s on %s in %.2f s, %.0f MB",
            *(ref.id, voice.device, voice.load_s, voice.memory_bytes / 1e6),
        )
        return voice
