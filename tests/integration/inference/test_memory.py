"""Models in memory: shared loads, eviction, unloading, and what is told about it."""

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from sirene_inference.backends import tone
from sirene_shared import errors
from sirene_shared.messages import LoadedState
from tests.integration.inference.conftest import Start
from tests.support.inference import Inference
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until

# Some seconds of tone: more than the frames that are under way without a reader.
LONG_TEXT = "All that is spoken. " * 60


async def test_concurrent_first_users_share_one_load(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("slow", load_s=0.5)
    process = start()
    await inference.ready(process)
    await asyncio.gather(*(inference.speak(ref, f"Number {n}") for n in range(8)))
    assert len(process.runners()) == 1
    assert process.log.read_text().count(f"loaded {ref.id}") == 1


async def test_a_second_model_evicts_the_first_at_a_limit_of_one(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    first, second = volume.add_tone("first"), volume.add_tone("second")
    process = start(INFERENCE_MAX_LOADED_MODELS=1)
    await inference.ready(process)
    await inference.speak(first, "First")
    (runner,) = process.runners()
    await inference.speak(second, "Second")
    assert not runner.is_running()
    assert len(process.runners()) == 1
    status = await inference.replica()
    assert status
    async with asyncio.timeout(5):
        while [model.ref for model in status.models] != [second]:
            status = await inference.replica()
            assert status
    # And back, many times over, with both asked at once: nobody waits for ever.
    await asyncio.gather(*(inference.speak(ref, "x") for ref in [first, second] * 3))


async def test_a_model_in_use_is_never_evicted(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    used, other = volume.add_tone("used"), volume.add_tone("other")
    process = start(INFERENCE_MAX_LOADED_MODELS=1, INFERENCE_BUSY_WAIT=0.3)
    await inference.ready(process)
    async with aclosing(inference.frames(used, LONG_TEXT)) as frames:
        heard = [await anext(frames)]
        with pytest.raises(errors.ModelsBusy) as caught:
            await inference.speak(other, "x")
        assert caught.value.retry_after_s
        heard += [frame async for frame in frames]
    audio = np.frombuffer(b"".join(frame.samples for frame in heard), "<i2")
    text = tone.decode(audio.astype(np.float32), heard[0].sample_rate)
    assert text == LONG_TEXT.replace(". ", ".")
    await inference.speak(other, "x")


async def test_unloading_gives_the_memory_back(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("large", memory_bytes=50_000_000)
    process = start()
    await inference.ready(process)
    reply = await inference.load(ref)
    assert reply.loaded
    assert reply.loaded.memory_bytes > 50_000_000
    (runner,) = process.runners()
    told = await inference.unload(ref)
    assert (told.replica, told.was_loaded, told.error) == ("replica-1", True, None)
    assert told.freed_bytes > 50_000_000
    assert not runner.is_running()
    assert not (await inference.unload(ref)).was_loaded


async def test_unloading_waits_for_running_requests(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start()
    await inference.ready(process)
    async with aclosing(inference.frames(ref, LONG_TEXT)) as frames:
        heard = len((await anext(frames)).samples)
        too_soon = await inference.unload(ref, wait_s=0)
        assert too_soon.error
        assert too_soon.error.code == errors.ModelInUse.code
        unloading = asyncio.create_task(inference.unload(ref))
        async for frame in frames:
            assert not unloading.done()
            heard += len(frame.samples)
    assert heard == len(LONG_TEXT.replace(". ", ".")) * 1600 * 2
    assert (await unloading).was_loaded
    assert process.runners() == []


async def test_a_load_goes_on_when_its_caller_cannot_wait(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("slow", load_s=1.0)
    await inference.ready(start())
    reply = await inference.load(ref, wait_s=0.1)
    assert reply.error
    assert reply.error.code == errors.ModelLoading.code
    assert reply.error.retry_after_s
    reply = await inference.load(ref)
    assert reply.loaded
    assert reply.loaded.state is LoadedState.LOADED


async def test_no_request_is_lost_while_slots_fill_and_empty(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    await inference.ready(start(INFERENCE_CONCURRENCY=1))

    async def one_after_the_other(worker: int) -> list[str]:
        heard = []
        for number in range(10):
            pcm, rate = await inference.speak(ref, f"Text {worker} {number}")
            heard.append(tone.decode(np.frombuffer(pcm, "<i2").astype(np.float32), rate))
        return heard

    heard = await asyncio.gather(*(one_after_the_other(worker) for worker in range(24)))
    assert heard == [[f"Text {worker} {number}" for number in range(10)] for worker in range(24)]


async def test_a_load_that_fails_or_hangs_tells_everyone_the_cause(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    failing = volume.add_tone("failing", load="fail", load_s=0.3)
    crashing = volume.add_tone("crashing", load="crash")
    hanging = volume.add_tone("hanging", load="hang")
    process = start(INFERENCE_LOAD_TIMEOUT=1)
    await inference.ready(process)
    replies = await asyncio.gather(*(inference.load(failing) for _ in range(3)))
    assert [reply.error and reply.error.code for reply in replies] == ["model_damaged"] * 3
    replies = await asyncio.gather(inference.load(crashing), inference.load(hanging))
    assert [reply.error and reply.error.code for reply in replies] == [
        "runner_crashed",
        "load_failed",
    ]
    assert replies[0].error
    assert "SIGSEGV" in replies[0].error.message
    await until(lambda: process.runners() == [])
