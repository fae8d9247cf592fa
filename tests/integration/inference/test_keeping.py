"""How long models stay in a real replica: bounds in bytes, pins, keep-alive, unloading by force."""

import asyncio
from contextlib import aclosing

import pytest

from sirene_shared.errors import ModelTooLarge, RunnerCrashed
from sirene_shared.inference_requests import (
    LoadReply,
    LoadRequest,
    PinReply,
    PinRequest,
    UnloadReply,
    UnloadRequest,
)
from sirene_shared.messages import LoadedModel, MeasuredSize
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LOAD, PIN, SIZES, UNLOAD
from tests.integration.inference.conftest import Start
from tests.support.inference import Inference
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until

LONG_TEXT = "All that is spoken. " * 60


async def told(inference: Inference) -> dict[str, LoadedModel]:
    status = await inference.replica()
    return {model.variant: model for model in status.models} if status else {}


async def until_told(inference: Inference, variants: set[str]) -> dict[str, LoadedModel]:
    """Once exactly these are there, and idle."""
    async with asyncio.timeout(10):
        while True:
            models = await told(inference)
            idle = {name for name, model in models.items() if model.idle_s}
            if models.keys() == variants == idle:
                return models
            await asyncio.sleep(0.02)


async def load(inference: Inference, ref: ModelRef, subject: str, **fields: object) -> LoadReply:
    request = LoadRequest(model=ref.model, variant=ref.variant, **fields)
    reply = await inference.nc.request(subject, request.encode(), timeout=30)
    return LoadReply.decode(reply.data)


async def pin(inference: Inference, ref: ModelRef, *, pinned: bool) -> PinReply:
    request = PinRequest(model=ref.model, variant=ref.variant, pinned=pinned)
    return PinReply.decode((await inference.nc.request(PIN.of(ref), request.encode())).data)


async def test_models_leave_when_their_bytes_are_needed(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    refs = [volume.add_tone(name, memory_bytes=100_000_000) for name in ("first", "second")]
    process = start(INFERENCE_MAX_LOADED_MODELS=9, INFERENCE_MAX_MEMORY="200MB")
    await inference.ready(process)
    for ref in refs:
        await inference.speak(ref, "x")
    # Each takes its 100 MB and what Python needs: two are more than may be, as is found by loading.
    models = await until_told(inference, {"second"})
    assert models["second"].memory_bytes > 100_000_000
    await until(lambda: len(process.runners()) == 1)
    status = await inference.replica()
    assert status
    assert status.memory_limits == {"cpu": 200_000_000}
    assert status.memory_taken["cpu"] > 100_000_000


async def test_what_can_never_fit_is_known_after_one_load_and_after_a_restart(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    giant, small = volume.add_tone("giant", memory_bytes=300_000_000), volume.add_tone("small")
    settings: dict[str, object] = {"INFERENCE_MAX_MEMORY": "250MB", "INFERENCE_KEEP_ALIVE": -1}
    first = start(**settings)
    await inference.ready(first)
    await inference.speak(small, "x")
    with pytest.raises(ModelTooLarge, match="250 MB are allowed"):
        await inference.speak(giant, "x")
    bucket = await inference.nc.jetstream().key_value(SIZES.name)
    async with asyncio.timeout(5):
        while giant.key not in await bucket.keys():
            await asyncio.sleep(0.02)
    known = MeasuredSize.decode((await bucket.get(giant.key)).value)
    assert known.memory_bytes > 300_000_000
    first.end()
    second = start(SIRENE_REPLICA_ID="replica-2", **settings)
    await inference.ready(second)
    await inference.speak(small, "x")
    runners = second.runners()
    with pytest.raises(ModelTooLarge):
        await inference.speak(giant, "x")
    assert second.runners() == runners, "nothing was evicted, nothing was started"
    assert "did not load" not in second.log.read_text().rsplit("ready", 1)[-1]


async def test_a_model_leaves_by_itself_when_its_time_is_over(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    short, default = volume.add_tone("short"), volume.add_tone("default")
    process = start(INFERENCE_KEEP_ALIVE="10m")
    await inference.ready(process)
    await inference.speak(default, "x")
    models = await until_told(inference, {"default"})
    assert models["default"].expires_at
    assert 590 < models["default"].expires_at - models["default"].last_used_at < 610
    assert models["default"].is_next
    await inference.speak(short, "x", keep_alive_s=0.0)
    await until_told(inference, {"default"})
    await until(lambda: len(process.runners()) == 1)
    await inference.speak(default, "x", keep_alive_s=-1.0)
    async with asyncio.timeout(5):
        while (await told(inference))["default"].expires_at is not None:
            await asyncio.sleep(0.02)


async def test_a_pinned_model_stays_until_it_is_unpinned(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    pinned, other = volume.add_tone("pinned"), volume.add_tone("other")
    process = start(INFERENCE_MAX_LOADED_MODELS=1)
    await inference.ready(process)
    assert not (await pin(inference, pinned, pinned=True)).is_held
    reply = await load(inference, pinned, LOAD.at("replica-1"), pin=True)
    assert reply.loaded
    assert reply.loaded.pinned
    refused = await load(inference, other, LOAD.at("replica-1"), wait_s=20)
    assert refused.error
    assert refused.error.code == "models_busy"
    assert "pinned" in refused.error.message
    assert (await pin(inference, pinned, pinned=False)).is_held
    await inference.speak(other, "x")
    await until_told(inference, {"other"})


async def test_an_unload_by_force_cuts_off_what_is_spoken(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    ref = volume.add_tone("plain")
    process = start()
    await inference.ready(process)
    async with aclosing(inference.frames(ref, LONG_TEXT)) as frames:
        await anext(frames)
        request = UnloadRequest(model=ref.model, variant=ref.variant, force=True)
        reply = await inference.nc.request(UNLOAD.of(ref), request.encode(), timeout=10)
        assert UnloadReply.decode(reply.data).was_loaded
        with pytest.raises(RunnerCrashed, match="unloaded"):
            async for _ in frames:
                pass
    assert process.runners() == []
