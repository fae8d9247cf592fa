"""Many speeches at once while listeners leave, runners are killed and backends hang."""

import asyncio
import random
import time
from collections import Counter
from contextlib import aclosing

import numpy as np
import psutil
import pytest

from sirene_inference.backends import tone
from sirene_shared import errors
from sirene_shared.names import ModelRef
from tests.integration.inference.conftest import Start
from tests.integration.inference.test_prompts import clip
from tests.support import speech_clip
from tests.support.inference import Inference, InferenceProcess
from tests.support.models_volume import ModelsVolume

WORKERS = 12
# What somebody may be told whose runner was ended under him, or who came while it was.
PERMITTED = (errors.RunnerCrashed, errors.RunnerUnstable, errors.ModelsBusy)


class Storm:
    """Each speech says who asked for it, so that a mixed-up or cut one shows."""

    def __init__(self, inference: Inference, process: InferenceProcess, refs: list[ModelRef]):
        self.told: Counter[str] = Counter()
        """What became of the speeches."""
        self.done: Counter[str] = Counter()
        """What was done to them."""
        self._inference = inference
        self._process = process
        self._refs = refs
        self._choice = random.Random(7)

    async def blow(self, speeches: int) -> None:
        numbers = iter(range(speeches))

        async def work() -> None:
            for number in numbers:
                await self._speak(number)

        await asyncio.gather(*(work() for _ in range(WORKERS)))

    async def _speak(self, number: int) -> None:
        ref = self._choice.choice(self._refs)
        chance = self._choice.random()
        text = f"{number} " * self._choice.choice((2, 5, 12))
        if chance < 0.05:
            await self._leave(ref, f"{number} " * 40)
        elif chance < 0.06:
            self.done["hangs"] += 1
            await self._hear(ref, f"#hang {number}", "hung")
        elif chance < 0.08:
            speaking = asyncio.create_task(self._hear(ref, text, "heard beside a kill"))
            self._kill()
            await speaking
        else:
            await self._hear(ref, text, "heard")

    async def _hear(self, ref: ModelRef, text: str, what: str) -> None:
        try:
            pcm, rate = await self._inference.speak(ref, text)
        except PERMITTED as error:
            self.told[error.code] += 1
            return
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        assert tone.decode(samples, rate).strip() == text.strip()
        self.told[what] += 1

    async def _leave(self, ref: ModelRef, text: str) -> None:
        try:
            async with aclosing(self._inference.frames(ref, text)) as frames:
                await anext(frames)
            self.told["left"] += 1
        except PERMITTED as error:
            self.told[error.code] += 1

    def _kill(self) -> None:
        if runners := self._process.runners():
            try:
                self._choice.choice(runners).kill()
            except psutil.NoSuchProcess:
                return
            self.done["kills"] += 1


@pytest.mark.parametrize("speeches", [150, pytest.param(1000, marks=pytest.mark.slow)])
async def test_every_speech_is_whole_or_its_loss_is_told(
    start: Start, volume: ModelsVolume, inference: Inference, speeches: int
) -> None:
    refs = [volume.add_tone("first"), volume.add_tone("second")]
    process = start(INFERENCE_STALL_TIMEOUT=1)
    await inference.ready(process)
    storm = Storm(inference, process, refs)
    began = time.monotonic()
    await storm.blow(speeches)
    print(f"{speeches} in {time.monotonic() - began:.0f} s: {dict(storm.done)} {dict(storm.told)}")
    assert storm.told.total() == speeches
    assert storm.told["hung"] == 0
    assert storm.told["left"] > 0
    assert storm.done["hangs"] > 0
    assert storm.done["kills"] > 0
    assert storm.told["heard"] > 0.7 * speeches
    # Nothing is left of those who went: all slots are free.
    async with asyncio.timeout(5):
        while not (status := await inference.replica()) or any(m.in_flight for m in status.models):
            await asyncio.sleep(0.02)
    assert len(process.runners()) <= 2


async def test_a_slot_is_free_within_a_second_of_its_listeners_leaving(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    cloned = {"clip": clip(), "transcript": speech_clip.TRANSCRIPT}
    asked: list[tuple[ModelRef, dict[str, object]]] = [
        (volume.add_tone("plain"), {}),
        (volume.add_piper("en_US-tiny"), {}),
        (volume.add_kokoro("v1.0"), {}),
        (volume.add_qwen("small"), {}),
        (volume.add_f5tts("small"), cloned),
    ]
    await inference.ready(start(INFERENCE_CONCURRENCY=1))
    waited = []
    for ref, options in asked:
        async with asyncio.timeout(90):  # torch is imported, on a machine that may be busy
            while (await inference.load(ref)).error:
                pass
        for _ in range(5):
            long = inference.frames(ref, "All that is spoken. " * 60, **options)
            async with aclosing(long) as frames:
                await anext(frames)
            began = time.monotonic()
            # There is one slot: this one speaks only once the other has stopped.
            async with aclosing(inference.frames(ref, "Next", **options)) as frames:
                await anext(frames)
            waited.append(time.monotonic() - began)
    print(f"slots are free after at most {max(waited):.2f} s")
    assert max(waited) < 1.0, waited
