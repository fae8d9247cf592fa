"""Clips and instructions, from the bus to a model in its runner."""

import base64

import numpy as np
import pytest

from sirene_shared import errors
from sirene_shared.names import ModelRef
from tests.integration.inference.conftest import Start
from tests.support import speech_clip
from tests.support.inference import Inference
from tests.support.models_volume import ModelsVolume

TEXT = "Hello world, this is a text."


def clip(**options: float) -> str:
    """As JSON carries it."""
    return base64.b64encode(speech_clip.wav(**options)).decode()  # type: ignore[arg-type]


async def test_a_cloned_voice_speaks_and_a_seed_repeats_it(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    models = {volume.add_f5tts("small"): 1.2, volume.add_qwen("small", "base"): 0.2}
    await inference.ready(start(INFERENCE_MAX_LOADED_MODELS=2))
    for ref, shortest_s in models.items():
        asked = {"clip": clip(), "transcript": speech_clip.TRANSCRIPT, "seed": 7}
        first, rate = await inference.speak(ref, TEXT, **asked)
        assert rate == 24_000
        samples = np.frombuffer(first, "<i2")
        assert len(samples) / rate > shortest_s
        assert np.abs(samples).max() > 300
        assert await inference.speak(ref, TEXT, **asked) == (first, rate)
        higher = asked | {"clip": clip(pitch_hz=300)}
        assert await inference.speak(ref, TEXT, **higher) != (first, rate)


async def test_a_described_voice_follows_its_description(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_qwen("design", "voice_design")
    await inference.ready(start())
    calm = await inference.speak(ref, TEXT, seed=7, instructions="A calm voice.")
    assert await inference.speak(ref, TEXT, seed=7, instructions="A calm voice.") == calm
    assert await inference.speak(ref, TEXT, seed=7, instructions="A loud, old voice.") != calm


async def test_what_a_model_cannot_do_is_refused_with_the_field_that_asks_it(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    tone, f5 = volume.add_tone("plain"), volume.add_f5tts("small")
    await inference.ready(start(INFERENCE_MAX_LOADED_MODELS=2))

    async def param(ref: ModelRef, **asked: object) -> str | None:
        with pytest.raises(errors.InvalidRequest) as caught:
            await inference.speak(ref, TEXT, **asked)
        return caught.value.param

    assert await param(tone, clip=clip()) == "ref_audio"
    assert await param(f5) == "ref_audio"
    assert await param(f5, clip=clip()) == "ref_text"
    noise = base64.b64encode(b"no sound at all").decode()
    assert await param(f5, clip=noise, transcript="What?") == "ref_audio"
    # Instructions are left aside by whoever follows none.
    assert (await inference.speak(tone, TEXT, instructions="Whisper."))[0]


async def test_a_clip_of_the_largest_size_reaches_the_model(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_qwen("small", "base")
    await inference.ready(start())
    # 28 s of 48 kHz, and a little.
    body = {"clip": clip(length_s=28, rate_hz=48_000, channels=1)}
    assert len(body["clip"]) > 3_500_000
    assert (await inference.speak(ref, "Hello.", **body))[0]
