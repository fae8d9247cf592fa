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


async def param_refused(inference: Inference, ref: ModelRef, **asked: object) -> str | None:
    """The field that the refusal names."""
    with pytest.raises(errors.InvalidRequest) as caught:
        await inference.speak(ref, TEXT, **asked)
    return caught.value.param


async def test_a_clip_is_cloned_where_it_can_be_and_else_refused(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    f5, tone = volume.add_f5tts("small"), volume.add_tone("plain")
    await inference.ready(start(INFERENCE_MAX_LOADED_MODELS=2))
    asked = {"clip": clip(), "transcript": speech_clip.TRANSCRIPT, "seed": 7}
    first, rate = await inference.speak(f5, TEXT, **asked)
    samples = np.frombuffer(first, "<i2")
    assert rate == 24_000
    assert len(samples) / rate > 1.2
    assert np.abs(samples).max() > 300
    assert await inference.speak(f5, TEXT, **asked) == (first, rate)
    assert await inference.speak(f5, TEXT, **asked | {"seed": 8}) != (first, rate)
    higher = asked | {"clip": clip(pitch_hz=300)}
    assert await inference.speak(f5, TEXT, **higher) != (first, rate)

    assert await param_refused(inference, f5) == "ref_audio"
    assert await param_refused(inference, f5, clip=clip()) == "ref_text"
    noise = base64.b64encode(b"no sound at all").decode()
    assert await param_refused(inference, f5, clip=noise, transcript="What?") == "ref_audio"
    assert await param_refused(inference, tone, clip=clip()) == "ref_audio"
    # Instructions are left aside by whoever follows none.
    assert (await inference.speak(tone, TEXT, instructions="Whisper."))[0]


async def test_a_clip_of_the_largest_size_reaches_the_model_and_streams(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_qwen("small", "base")
    await inference.ready(start())
    # 28 s of 48 kHz, and a little.
    body = {"clip": clip(length_s=28, rate_hz=48_000), "seed": 7}
    assert len(body["clip"]) > 3_500_000
    frames = [frame.samples async for frame in inference.frames(ref, TEXT, **body)]
    assert len(frames) > 2
    assert len(frames[0]) == 2 * 1920  # one frame of 80 ms, as soon as it is there


@pytest.mark.slow
async def test_a_described_voice_follows_its_description(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_qwen("design", "voice_design")
    await inference.ready(start())
    calm = await inference.speak(ref, TEXT, seed=7, instructions="A calm voice.")
    assert await inference.speak(ref, TEXT, seed=7, instructions="A calm voice.") == calm
    assert await inference.speak(ref, TEXT, seed=7, instructions="A loud, old voice.") != calm
