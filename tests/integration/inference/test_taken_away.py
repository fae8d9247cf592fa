"""Who comes while a runner is being ended for another's sake: served by the next one."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing

import numpy as np
import pytest

from sirene_inference import pipe
from sirene_inference.backends import tone
from sirene_inference.crash import TakenAway
from sirene_inference.environment import environment
from sirene_inference.request import Request
from sirene_inference.runner import Runner
from sirene_inference.templates import Templates
from sirene_shared import errors
from sirene_shared.manifest import load_catalogue
from sirene_shared.names import ModelRef
from tests.integration.inference.conftest import Start
from tests.support.inference import Inference
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until


@pytest.fixture
async def runner(volume: ModelsVolume) -> AsyncIterator[Runner]:
    """With a tone in it."""
    ref = volume.add_tone("plain")
    templates = Templates(environment(os.environ))
    made = Runner(await templates.start("tone"), ref.id, stall_s=1)
    load = pipe.Load(
        id=made.next_id(),
        model=ref.id,
        manifest=load_catalogue(volume.manifests).find(ref.model, ref.variant).manifest,
        variant=ref.variant,
        files={"tone.json": str(volume.root / "tone" / "plain" / "tone.json")},
        device="cpu",
        threads=1,
    )
    await made.load(load, within_s=20)
    yield made
    await made.close()
    await templates.close()


async def hear(runner: Runner, text: str) -> int:
    frames = [frame async for frame in runner.speak("tone:plain", Request(text=text))]
    return len(frames)


async def heard(inference: Inference, ref: ModelRef, text: str) -> str:
    pcm, rate = await inference.speak(ref, text)
    return tone.decode(np.frombuffer(pcm, "<i2").astype(np.float32), rate)


async def test_who_hangs_is_told_and_who_waited_beside_it_may_go_elsewhere(runner: Runner) -> None:
    hanging = asyncio.create_task(hear(runner, "#hang"))
    waiting = asyncio.create_task(hear(runner, "#work " * 20))
    with pytest.raises(errors.RunnerCrashed, match="made no audio") as caught:
        await hanging
    assert not isinstance(caught.value, TakenAway)
    with pytest.raises(TakenAway):
        await waiting


async def test_who_comes_after_the_kill_may_go_elsewhere(runner: Runner) -> None:
    runner.kill("it hung")
    assert not runner.ended.is_set()
    with pytest.raises(TakenAway):
        await hear(runner, "Late")
    assert runner.ended.is_set()
    with pytest.raises(TakenAway):
        await hear(runner, "Later")


async def test_who_was_heard_in_part_is_told(runner: Runner) -> None:
    async with aclosing(runner.speak("tone:plain", Request(text="Begun. " * 60))) as frames:
        await anext(frames)
        runner.kill("it hung")
        with pytest.raises(errors.RunnerCrashed) as caught:
            async for _ in frames:
                pass
    assert not isinstance(caught.value, TakenAway)


async def test_what_ends_its_runner_is_not_tried_on_the_next(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start()
    await inference.ready(process)
    with pytest.raises(errors.RunnerCrashed, match="SIGSEGV"):
        await inference.speak(ref, "#crash")
    assert process.log.read_text().count(f"loaded {ref.id}") == 1


async def test_nobody_is_told_of_anothers_hang_who_comes_while_it_is_ended(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start(INFERENCE_CONCURRENCY=4)
    await inference.ready(process)
    async with aclosing(inference.frames(ref, "First. #hang for ever.")) as frames:
        await anext(frames)
    (hanging,) = process.runners()

    async def keep_asking(number: int) -> int:
        count = 0
        while hanging.is_running() or process.runners() == []:
            # No sound for half a second: many of these wait in the runner when it is killed.
            text = f"#slow {number} {count}"
            assert await heard(inference, ref, text) == text
            count += 1
        return count

    counts = await asyncio.gather(*(keep_asking(number) for number in range(3)))
    assert min(counts) > 2
    await until(lambda: not hanging.is_running())
    assert "did not stop" in process.log.read_text()
    assert await heard(inference, ref, "Again") == "Again"
