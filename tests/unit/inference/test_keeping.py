"""How long models stay: keep-alive, pins, sizes, and memory that runs out."""

import asyncio

import pytest

from sirene_inference.cache import Models
from sirene_inference.room import Size
from sirene_inference.sizes import Sizes
from sirene_shared.errors import ModelsBusy, ModelTooLarge, OutOfMemory
from sirene_shared.names import ModelRef
from tests.support.held_loads import Loads, Voice, begun, used
from tests.support.waiting import until

A, B, C = (ModelRef("model", letter) for letter in "abc")


@pytest.fixture
def loads() -> Loads:
    return Loads()


def kept(models: Models[Voice]) -> dict[str, float | None]:
    return {each.resident.ref.variant: each.expires_in_s for each in models.holdings()}


async def test_a_model_leaves_after_its_keep_alive_which_begins_when_its_last_user_ends(
    loads: Loads,
) -> None:
    models = Models(loads, capacity=2, busy_wait_s=5.0, keep_alive_s=0.02, reserve_s=0.0)
    async with models.use(A) as voice:
        async with models.use(A):
            pass
        assert kept(models) == {"a": None}
        await models.bring(B)  # and this one, which nobody uses, leaves meanwhile
        await until(lambda: "b" not in kept(models))
        assert not voice.ended.is_set(), "it left while it was used"
    await voice.ended.wait()
    await models.close(within_s=1)


async def test_the_last_request_that_says_something_wins(loads: Loads) -> None:
    clock = [0.0]
    models = Models(loads, capacity=2, busy_wait_s=5.0, keep_alive_s=300.0, now=lambda: clock[0])
    await used(models, A)
    assert kept(models) == {"a": 300.0}
    async with models.use(A, 0.0), models.use(A, 60.0):
        pass
    assert kept(models) == {"a": 60.0}
    await used(models, A)
    assert kept(models) == {"a": 60.0}
    await used(models, A, keep_alive_s=float("inf"))
    assert kept(models) == {"a": None}
    async with models.use(A, 0.0) as voice:
        pass
    await voice.ended.wait()
    # And it does not stick to the copy that is loaded next.
    await used(models, A)
    assert kept(models) == {"a": 300.0}
    await models.close(within_s=1)


async def test_a_pinned_model_leaves_neither_for_others_nor_for_being_idle(loads: Loads) -> None:
    models = Models(loads, capacity=2, busy_wait_s=5.0, keep_alive_s=0.01)
    assert not models.pin(A, pinned=True), "what is not held cannot be pinned"
    first = (await models.bring(A, pin=True)).voice
    assert first
    for ref in (B, C, B):
        await used(models, ref)
    assert not first.ended.is_set()
    (told,) = [each for each in models.holdings() if each.resident.ref == A]
    assert (told.is_pinned, told.expires_in_s, told.is_next) == (True, None, False)
    assert models.pin(A, pinned=False)
    await first.ended.wait()
    await models.close(within_s=1)


async def test_when_pinned_models_leave_no_room_it_is_said_at_once(loads: Loads) -> None:
    models = Models(loads, capacity=1, busy_wait_s=60.0)
    await models.bring(A, pin=True)
    async with asyncio.timeout(1):
        with pytest.raises(ModelsBusy, match="pinned models leave no room"):
            await used(models, B)
    assert await models.unload(A, within_s=1) == 1000, "whoever unloads means it"
    assert (await used(models, B)).ref == B
    await models.close(within_s=1)


async def test_the_first_load_is_measured_and_the_measure_holds_from_then_on(
    loads: Loads,
) -> None:
    kept_sizes: dict[ModelRef, Size] = {}
    sizes = Sizes(lambda ref: Size("cpu", 1), kept_sizes.__setitem__)
    models = Models(loads, capacity=9, busy_wait_s=5.0, memory={"cpu": 8000}, sizes=sizes)
    loads.sizes = {A: 5000, B: 5000, C: 9000}
    await used(models, A)
    await used(models, B)  # by its estimate there was room for it, by its measure there is not
    await until(lambda: models.users(A) is None)
    with pytest.raises(ModelTooLarge):
        await used(models, C)
    assert kept_sizes == {ref: Size("cpu", loads.sizes[ref]) for ref in (A, B, C)}
    assert loads.voices[-1].ended.is_set()
    begun_before = list(loads.begun)
    with pytest.raises(ModelTooLarge):
        await used(models, C)
    assert loads.begun == begun_before, "it is known by now that it does not fit"
    await models.close(within_s=1)


async def test_a_model_that_grows_makes_idle_ones_leave(loads: Loads) -> None:
    models = Models(loads, capacity=9, busy_wait_s=5.0, memory={"cpu": 8000})
    idle = await used(models, A)
    async with models.use(B):
        grown = next(each.resident for each in models.holdings() if each.resident.ref == B)
        models.measured(grown, Size("cpu", 7500))
        await idle.ended.wait()
        assert models.users(B) == 1
    await models.close(within_s=1)


async def test_memory_that_runs_out_evicts_what_is_idle_and_the_load_is_tried_once_more(
    loads: Loads,
) -> None:
    models = Models(loads, capacity=9, busy_wait_s=5.0)
    idle = await used(models, A)
    async with models.use(B) as busy:
        loads.errors[C] = OutOfMemory("there is none left")
        waiting = await begun(used(models, C), lambda: C in loads.begun)
        await idle.ended.wait()
        del loads.errors[C]
        assert (await waiting).ref == C
        assert not busy.ended.is_set()
    assert loads.begun == [A, B, C, C]
    await models.close(within_s=1)


async def test_memory_that_runs_out_twice_is_the_cause_that_is_told(loads: Loads) -> None:
    models = Models(loads, capacity=9, busy_wait_s=5.0)
    await used(models, A)
    loads.errors[C] = OutOfMemory("there is none left")
    results = await asyncio.gather(*(used(models, C) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [OutOfMemory] * 3
    assert loads.begun == [A, C, C]
    assert (await used(models, B)).ref == B
    await models.close(within_s=1)


async def test_an_unload_by_force_does_not_wait_for_users(loads: Loads) -> None:
    models = Models(loads, capacity=1, busy_wait_s=5.0)
    async with models.use(A) as voice:
        unloading = asyncio.create_task(models.unload(A, within_s=5))
        await asyncio.sleep(0)
        assert await models.unload(A, within_s=1, force=True) == 1000
        assert await unloading == 1000
        assert voice.ended.is_set()
        assert (await used(models, B)).ref == B
    await models.close(within_s=1)
