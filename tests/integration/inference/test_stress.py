"""Workers load, unload and speak at once on a real replica: whole audio or a permitted error."""

import asyncio
import random

import numpy as np
import pytest

from sirene_inference.backends import tone
from sirene_shared.errors import ModelInUse, ModelLoading, ModelsBusy, SireneError
from tests.integration.inference.conftest import Start
from tests.support.inference import Inference, InferenceProcess
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until

PERMITTED = {ModelsBusy, ModelInUse, ModelLoading}
CAPACITY = 2


async def stress(
    process: InferenceProcess,
    inference: Inference,
    volume: ModelsVolume,
    *,
    workers: int,
    rounds: int,
    # The loads are what costs: a process each.
    seldom: float,
) -> dict[str, int]:
    """How often each thing happened. seldom: the part of the rounds that loads or unloads."""
    often, rare = volume.add_tone("often"), [volume.add_tone("rare"), volume.add_tone("rarer")]
    told: dict[str, int] = {}
    most = 0

    async def one(number: int) -> None:
        nonlocal most
        dice = random.Random(number)
        for turn in range(rounds):
            ref = dice.choice([often, *rare]) if dice.random() < seldom else often
            what = dice.choice(["load", "unload"]) if dice.random() < seldom else "speak"
            error: SireneError | None = None
            try:
                if what == "speak":
                    text = f"{number} {turn}"
                    pcm, rate = await inference.speak(ref, text)
                    heard = tone.decode(np.frombuffer(pcm, "<i2").astype(np.float32), rate)
                    assert heard == text
                elif what == "load":
                    reply = await inference.load(ref, wait_s=dice.choice([0.0, 20.0]))
                    error = reply.error.error() if reply.error else None
                else:
                    answer = await inference.unload(ref, wait_s=dice.choice([0.0, 20.0]))
                    error = answer.error.error() if answer.error else None
            except SireneError as raised:
                error = raised
            if error is not None:
                assert type(error) in PERMITTED, f"{what} {ref.id}: {error!r}"
                what = type(error).__name__
            told[what] = told.get(what, 0) + 1
            if what != "speak":
                most = max(most, len(process.runners()))

    await asyncio.gather(*(one(number) for number in range(workers)))
    assert most <= CAPACITY
    for ref in [often, *rare]:
        await inference.unload(ref)
    await until(lambda: process.runners() == [])
    assert process.log.read_text().count("Traceback") == 0
    return told


@pytest.fixture
async def process(start: Start, volume: ModelsVolume, inference: Inference) -> InferenceProcess:
    # The catalogue is read at the start.
    for variant in ("often", "rare", "rarer"):
        volume.add_tone(variant)
    begun = start(INFERENCE_MAX_LOADED_MODELS=CAPACITY, INFERENCE_BUSY_WAIT=5)
    await inference.ready(begun)
    return begun


async def test_some_workers_load_unload_and_speak_on_a_real_replica(
    process: InferenceProcess, inference: Inference, volume: ModelsVolume
) -> None:
    told = await stress(process, inference, volume, workers=8, rounds=16, seldom=0.1)
    assert told["speak"] > 64


@pytest.mark.slow
async def test_32_workers_times_1024_load_unload_and_speak_on_a_real_replica(
    process: InferenceProcess, inference: Inference, volume: ModelsVolume
) -> None:
    told = await stress(process, inference, volume, workers=32, rounds=1024, seldom=0.004)
    print(told)
    assert sum(told.values()) == 32 * 1024
    assert told["speak"] > 32_000
