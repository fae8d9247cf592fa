"""Processes that die, a bus that goes away, and a service that is told to end."""

import asyncio
import signal
from contextlib import aclosing
from pathlib import Path

import pytest

from sirene_shared import bus, errors
from tests.integration.inference.conftest import Start
from tests.support.inference import Inference, InferenceProcess, are_gone
from tests.support.models_volume import ModelsVolume
from tests.support.nats import NatsServer
from tests.support.waiting import until

LONG_TEXT = "All that is spoken. " * 60


async def test_a_killed_runner_fails_its_request_and_the_next_one_loads_again(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start()
    await inference.ready(process)
    async with aclosing(inference.frames(ref, LONG_TEXT)) as frames:
        await anext(frames)
        process.runners()[0].kill()
        with pytest.raises(errors.RunnerCrashed, match="SIGKILL"):
            async for _ in frames:
                pass
    with pytest.raises(errors.RunnerCrashed, match="SIGSEGV"):
        await inference.speak(ref, "#crash")
    await inference.speak(ref, "Well again")


async def test_a_killed_service_leaves_no_process_behind(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_piper("en_US-tiny")
    process = start()
    await inference.ready(process)
    async with aclosing(inference.frames(ref, "A fine day. " * 100)) as frames:
        await anext(frames)
        children = process.children()
        assert len(children) >= 2  # the runner, and its espeak-ng
        process.send(signal.SIGKILL)
        await until(lambda: are_gone(children))


async def test_runners_see_no_secret_and_no_hub(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start()
    await inference.ready(process)
    await inference.load(ref)
    environ = process.runners()[0].environ()
    assert environ["HF_HUB_OFFLINE"] == "1"
    assert not {"HF_TOKEN", "NATS_URL"} & set(environ)


async def test_a_service_that_is_told_to_end_finishes_what_it_says(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start()
    await inference.ready(process)
    async with aclosing(inference.frames(ref, LONG_TEXT)) as frames:
        heard = len((await anext(frames)).samples)
        process.send(signal.SIGTERM)
        async for frame in frames:
            heard += len(frame.samples)
    assert heard == len(LONG_TEXT.replace(". ", ".")) * 1600 * 2
    await until(lambda: process.status is not None)
    assert process.status == 0
    assert await inference.replica() is None


async def test_a_service_without_a_bus_ends_when_told(
    start: Start, volume: ModelsVolume, tmp_path: Path
) -> None:
    volume.add_tone("plain")
    process = start("nats://127.0.0.1:9")
    await until(lambda: "connecting to the bus" in process.log.read_text())
    process.send(signal.SIGTERM)
    await until(lambda: process.status is not None)
    assert process.status == 0


async def test_everything_is_back_after_the_bus_was_gone(
    own_nats_server: NatsServer, start: Start, volume: ModelsVolume
) -> None:
    ref = volume.add_tone("plain")
    process = start(own_nats_server.url)
    nc = await bus.connect(own_nats_server.url, "test")
    try:
        inference = Inference(nc)
        await inference.ready(process)
        await inference.speak(ref, "Before")
        own_nats_server.kill()
        own_nats_server.start()
        await until(lambda: nc.is_connected)
        await inference.ready(process)
        # Still loaded, and still asked directly: no second runner.
        runners = process.runners()
        await inference.speak(ref, "After")
        assert process.runners() == runners
        async with asyncio.timeout(10):
            while not (status := await inference.replica()) or not status.models:
                await asyncio.sleep(0.05)
        assert status.models[0].ref == ref
    finally:
        await nc.close()


async def test_a_replica_is_not_asked_while_it_has_no_free_slot(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    first = start(INFERENCE_CONCURRENCY=1)
    await inference.ready(first)
    async with aclosing(inference.frames(ref, LONG_TEXT)) as frames:
        await anext(frames)
        second: InferenceProcess = start(SIRENE_REPLICA_ID="replica-2", INFERENCE_CONCURRENCY=1)
        await inference.ready(first, second)
        # The load goes to either; the first one waits for its slot, so only the second answers.
        async with asyncio.timeout(15):
            reply = await inference.load(ref, wait_s=0.5)
            while reply.replica != second.replica or reply.error:
                reply = await inference.load(ref, wait_s=0.5)
        await inference.speak(ref, "Through the second")
