"""Failures that other servers' schedulers had, each by its number: none of them happens here."""

import asyncio

import pytest

from sirene_inference.cache import Models
from sirene_inference.room import Size
from sirene_inference.sizes import Sizes
from sirene_shared.errors import ModelInUse, ModelTooLarge
from sirene_shared.names import ModelRef
from tests.support.held_loads import Loads, Voice, begun, used

A, B, C = (ModelRef("model", letter) for letter in "abc")


@pytest.fixture
def loads() -> Loads:
    return Loads()


async def test_ollama_17408_a_victim_is_not_revived_and_the_load_that_waits_for_it_goes_on(
    loads: Loads,
) -> None:
    """A request for the victim gave it a new lease; the load behind it then waited for ever, and
    with it every other load, while the listing stayed green."""
    models = Models(loads, capacity=1, busy_wait_s=5.0)
    victim = await used(models, A)
    victim.may_end.clear()
    waiting = await begun(used(models, B), lambda: models.users(A) is None)
    revivers = [asyncio.create_task(used(models, A, keep_alive_s=300.0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert models.users(A) is None
    victim.may_end.set()
    assert (await waiting).ref == B
    assert {id(voice) for voice in await asyncio.gather(*revivers)} != {id(victim)}
    assert loads.begun == [A, B, A]
    await models.close(within_s=1)


async def test_ollama_pr_15126_a_loaded_model_serves_while_another_is_evicted_and_loaded(
    loads: Loads,
) -> None:
    """One pending loop: while it waited for an eviction, ready models answered nobody."""
    models = Models(loads, capacity=2, busy_wait_s=5.0)
    victim = await used(models, A)
    await used(models, B)
    victim.may_end.clear()
    gate = loads.hold(C)
    waiting = await begun(used(models, C), lambda: models.users(A) is None)
    async with asyncio.timeout(1):
        assert (await used(models, B)).ref == B  # while the victim leaves
    victim.may_end.set()
    while C not in loads.begun:
        await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert (await used(models, B)).ref == B  # while the other loads
    gate.set()
    assert (await waiting).ref == C
    await models.close(within_s=1)


async def test_ollama_18282_a_model_that_can_never_fit_is_refused_at_once_and_evicts_nothing(
    loads: Loads,
) -> None:
    """It evicted one model after the other for one that no eviction could make fit."""
    sizes = Sizes(lambda ref: Size("cpu", 900_000_000 if ref == C else 1000))
    models = Models(loads, capacity=3, busy_wait_s=5.0, memory={"cpu": 800_000_000}, sizes=sizes)
    await used(models, A)
    async with models.use(B):
        async with asyncio.timeout(0.5):
            with pytest.raises(
                ModelTooLarge, match=r"takes 900 MB of cpu memory, 800 MB are allowed"
            ):
                await used(models, C)
        assert models.users(A) == 0
        assert models.users(B) == 1
    assert loads.begun == [A, B]
    await models.close(within_s=1)


async def test_llama_cpp_28698_a_model_is_not_evicted_before_the_request_that_loaded_it_has_it(
    loads: Loads,
) -> None:
    """It counted as idle between its load and the first use, and a queued request took its room."""
    models = Models(loads, capacity=1, busy_wait_s=5.0)
    gate = loads.hold(A)
    first = await begun(used(models, A), lambda: A in loads.begun)
    queued = asyncio.create_task(used(models, B))
    await asyncio.sleep(0)
    gate.set()
    voice = await first
    assert voice.ref == A
    assert (await queued).ref == B
    # Loaded ahead, it waits for whoever asked, in front of those who are queued.
    await models.bring(A)
    late = asyncio.create_task(used(models, B))
    await asyncio.sleep(0)
    assert (await used(models, A)).ref == A
    assert (await late).ref == B
    assert loads.begun == [A, B, A, B]
    await models.close(within_s=1)


async def test_speaches_pr_672_a_refused_unload_does_not_lead_to_a_second_copy(
    loads: Loads,
) -> None:
    """The refusal had already dropped the handle: the next request loaded the model once more,
    beside the copy that still spoke."""
    models = Models(loads, capacity=2, busy_wait_s=5.0)
    async with models.use(A) as first:
        with pytest.raises(ModelInUse):
            await models.unload(A, within_s=0.01)
        waiting = asyncio.create_task(used(models, A))
        for _ in range(20):
            await asyncio.sleep(0)
        assert loads.begun == [A], "two copies at a time"
        assert not first.ended.is_set()
    second = await waiting
    assert first.ended.is_set()
    assert second is not first
    # It leaves with its last user, who decides in the same step: nobody gets in between.
    assert loads.begun == [A, A]
    await models.close(within_s=1)


async def test_omlx_1970_two_models_of_which_one_fits_serve_concurrent_requests_in_turn(
    loads: Loads,
) -> None:
    """Requests for the second one were refused, or stood still behind a lock with all others."""
    sizes = Sizes(lambda ref: Size("cpu", 6000))
    models = Models(loads, capacity=4, busy_wait_s=5.0, memory={"cpu": 8000}, sizes=sizes)
    loads.sizes = {A: 6000, B: 6000}

    async def ask(ref: ModelRef) -> Voice:
        async with models.use(ref) as voice:
            await asyncio.sleep(0)
            held = [each for each in models.holdings() if each.voice]
            assert sum(each.resident.size.bytes for each in held) <= 8000
            return voice

    async with asyncio.timeout(3):
        voices = await asyncio.gather(*(ask(ref) for ref in [A, B] * 20))
    assert [voice.ref for voice in voices] == [A, B] * 20
    await models.close(within_s=1)
