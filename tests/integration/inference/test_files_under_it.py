"""Files that are cut or removed under a loaded model: nothing is spoken wrongly, and it is told."""

import asyncio
import shutil

import numpy as np
import pytest

from sirene_shared import bus, errors
from sirene_shared.messages import Suspicion
from sirene_shared.names import ModelRef
from sirene_shared.subjects import SUSPICION
from tests.integration.inference.conftest import Start
from tests.integration.inference.test_prompts import clip
from tests.support import speech_clip
from tests.support.inference import Inference
from tests.support.models_volume import ModelsVolume

TEXT = "Hello world, this is a text."
ASKED = {"clip": clip(), "transcript": speech_clip.TRANSCRIPT, "seed": 7}


async def loaded(inference: Inference, ref: ModelRef) -> None:
    """However long torch takes to import on a busy machine."""
    async with asyncio.timeout(90):
        while error := (await inference.load(ref)).error:
            assert error.code == errors.ModelLoading.code


async def test_weights_that_are_cut_under_a_model_are_never_spoken(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref, other = volume.add_f5tts("small"), volume.add_tone("other")
    process = start()
    await inference.ready(process)
    told = await inference.nc.subscribe(SUSPICION.of(ref))
    await bus.settle(inference.nc)
    await loaded(inference, ref)
    await inference.speak(ref, TEXT, **ASKED)
    # They are read from the disk as they are used: their pages go away with the file.
    weights = volume.root / ref.model / ref.variant / "model.safetensors"
    with weights.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(errors.RunnerCrashed, match="SIGBUS"):
        await inference.speak(ref, TEXT, **ASKED)
    await inference.speak(other, "Unharmed")
    await inference.unload(ref)
    async with asyncio.timeout(20):
        reply = await inference.load(ref)
        while reply.error and reply.error.code != errors.ModelDamaged.code:
            reply = await inference.load(ref)
    assert reply.error
    assert "model.safetensors" in reply.error.message
    assert Suspicion.decode((await told.next_msg(timeout=5)).data).ref == ref


async def test_a_folder_that_is_removed_under_a_model_is_missed_at_its_next_load(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    refs = [volume.add_f5tts("small"), volume.add_piper("en_US-tiny")]
    await inference.ready(start())
    for ref, asked in zip(refs, (ASKED, {}), strict=True):
        await loaded(inference, ref)
        await inference.speak(ref, TEXT, **asked)
        shutil.rmtree(volume.root / ref.model / ref.variant)
        # What is loaded goes on: an open file stays until it is closed.
        pcm, _ = await inference.speak(ref, TEXT, **asked)
        assert np.abs(np.frombuffer(pcm, "<i2")).max() > 100
        await inference.unload(ref)
        with pytest.raises(errors.ModelNotInstalled):
            await inference.speak(ref, TEXT, **asked)
