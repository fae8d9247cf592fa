"""Speech from a real service on real models: what arrives, how soon, and what is refused."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from sirene_inference.backends import tone
from sirene_shared import errors
from sirene_shared.inference_requests import SpeakRequest
from sirene_shared.names import ModelRef
from sirene_shared.speech_stream import FRAME_BYTES, receive
from sirene_shared.subjects import SPEAK
from tests.integration.inference.conftest import Start
from tests.support import piper_voice
from tests.support.inference import Inference
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until

SHORT = "Hello world."
LONG = "Hello world. How are you today, my friend? I hope that you are well. It is a fine day."


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


def loudest_hz(audio: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(audio)).argmax()) * rate / len(audio)


async def test_a_piper_voice_speaks_as_long_as_its_text_on_its_own_pitch(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_piper("en_US-tiny", speakers=3)
    process = start()
    await inference.ready(process)

    short, rate = await inference.speak(ref, SHORT)
    long, _ = await inference.speak(ref, LONG)
    fast, _ = await inference.speak(ref, LONG, speed=2.0)
    assert rate == piper_voice.SAMPLE_RATE
    assert 0.5 < len(samples(short)) / rate < 2.5
    assert 4 < len(long) / len(short) < 8
    assert 0.4 < len(fast) / len(long) < 0.7
    assert np.sqrt(np.mean(samples(long) ** 2)) > 0.02
    assert loudest_hz(samples(long), rate) == pytest.approx(piper_voice.pitch_hz(0), abs=2)

    other, rate = await inference.speak(ref, LONG, voice=piper_voice.NAMES[2], sample_rate=16000)
    assert rate == 16000
    assert loudest_hz(samples(other), rate) == pytest.approx(piper_voice.pitch_hz(2), abs=2)
    assert len(other) / rate == pytest.approx(len(long) / piper_voice.SAMPLE_RATE, rel=0.1)


async def test_a_long_sentence_is_heard_before_its_last_frames_are_made(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_vits("en_US-tiny")
    await inference.ready(start())
    sentence = LONG.replace(". ", ", ").replace("? ", ", ")
    async with aclosing(inference.frames(ref, sentence)) as frames:
        sizes = [len(frame.samples) async for frame in frames]
    assert sizes[0] < 0.25 * piper_voice.SAMPLE_RATE * 2
    assert sum(sizes) > 4 * piper_voice.SAMPLE_RATE * 2


async def test_what_was_asked_is_what_is_spoken_for_many_at_a_time(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    await inference.ready(start())
    texts = [f"Request {number}. Its second sentence." for number in range(12)]
    rates = [None, 8000, 24000]

    async def spoken(text: str, rate: int | None) -> str:
        pcm, found = await inference.speak(ref, text, sample_rate=rate)
        return tone.decode(samples(pcm), found)

    asked = zip(texts, rates * 4, strict=True)
    heard = await asyncio.gather(*(spoken(text, rate) for text, rate in asked))
    assert [text.replace(".I", ". I") for text in heard] == texts


async def test_the_first_sentence_leaves_before_the_second_is_made_and_a_hang_is_ended(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start()
    await inference.ready(process)
    async with aclosing(inference.frames(ref, "First. #hang for ever.")) as frames:
        first = await anext(frames)
    assert len(first.samples) <= FRAME_BYTES
    assert tone.decode(samples(first.samples), first.sample_rate) == "First."
    (hanging,) = process.runners()
    # The listener has left, the runner does not stop: it is killed, and the next one speaks.
    await until(lambda: not hanging.is_running(), within_s=20)
    pcm, rate = await inference.speak(ref, "Again")
    assert tone.decode(samples(pcm), rate) == "Again"


async def test_a_runner_that_makes_nothing_is_ended_and_its_listener_told(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    await inference.ready(start(INFERENCE_STALL_TIMEOUT=1))
    with pytest.raises(errors.RunnerCrashed, match="no audio for 1 s"):
        await inference.speak(ref, "#hang")


async def test_a_listener_who_leaves_frees_the_slot(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_piper("en_US-tiny")
    process = start(INFERENCE_CONCURRENCY=1)
    await inference.ready(process)
    for _ in range(3):
        async with aclosing(inference.frames(ref, LONG * 20)) as frames:
            await anext(frames)
    # With one slot, this comes only after the others were stopped.
    async with asyncio.timeout(5):
        await inference.speak(ref, SHORT)
    assert len(process.runners()) == 1


async def test_each_refusal_says_why(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    tone_ref = volume.add_tone("plain")
    cut = volume.add_piper("cut")
    garbage = volume.add_piper_files("garbage", _garbage(volume.root.parent))
    absent, foreign = ModelRef("tone", "absent"), ModelRef("foreign", "v1.0")
    volume.declare(absent, {"tone.json": b""})
    volume.declare(foreign, {"model.bin": b""}, backend="unheard_of")
    volume.install(foreign, {"model.bin": b"x"})
    graph = volume.root / "piper" / "cut" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    await inference.ready(start())

    for ref, options, expected, words in (
        (tone_ref, {"voice": "nobody"}, errors.VoiceNotFound, "nobody"),
        (tone_ref, {"text": "?! …"}, errors.InvalidRequest, "nothing that can be spoken"),
        (tone_ref, {"text": "#fail"}, errors.SpeechFailed, "asks for a failure"),
        (absent, {}, errors.ModelNotInstalled, "tone:absent"),
        (cut, {}, errors.ModelDamaged, "model.onnx"),
        (garbage, {}, errors.ModelDamaged, "model.onnx"),
        (foreign, {}, errors.BackendMissing, "unheard_of"),
        (ModelRef("nothing", "v1"), {}, errors.ModelNotFound, "nothing"),
        (ModelRef("tone", "v9"), {}, errors.VariantNotFound, "v9"),
    ):
        with pytest.raises(expected, match=words) as caught:
            await inference.speak(ref, options.pop("text", SHORT), **options)
        assert str(volume.root) not in caught.value.message + caught.value.hint


async def test_a_request_that_does_not_fit_is_answered(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    await inference.ready(start())
    assert not (await inference.load(ref)).error
    other = SpeakRequest(model="tone", variant="other", request_id="r", text="x")
    for body in (b"{", b'{"model": "tone"}', other.encode()):
        with pytest.raises(errors.InvalidRequest):
            async for _ in receive(inference.nc, SPEAK.of(ref), body):
                pass


def _garbage(folder: Path) -> Path:
    path = piper_voice.build(folder / "garbage.onnx")
    path.write_bytes(b"\x00" * 5000)
    return path
