"""The cache at work, with loads that the test starts, holds and ends."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from sirene_inference.cache import Models
from sirene_shared.errors import LoadFailed, ModelDamaged, ModelInUse, ModelsBusy, NoReplica
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef
from tests.support.held_loads import Loads, Voice, begun, used

A, B, C = (ModelRef("model", letter) for letter in "abc")


@pytest.fixture
def loads() -> Loads:
    return Loads()


def models_of(loads: Loads, *, capacity: int = 1, busy_wait_s: float = 5.0) -> Models[Voice]:
    return Models(loads, capacity=capacity, busy_wait_s=busy_wait_s)


async def test_concurrent_first_users_share_one_load(loads: Loads) -> None:
    models = models_of(loads)
    voices = await asyncio.gather(*(used(models, A) for _ in range(10)))
    assert loads.begun == [A]
    assert set(voices) == {loads.voices[0]}
    await models.close(within_s=1)


async def test_a_request_for_a_loaded_model_never_waits_behind_another_load(loads: Loads) -> None:
    models = models_of(loads, capacity=2)
    await used(models, A)
    gate = loads.hold(B)
    waiting = await begun(used(models, B), lambda: B in loads.begun)
    async with asyncio.timeout(1):
        assert (await used(models, A)).ref == A
    gate.set()
    assert (await waiting).ref == B
    await models.close(within_s=1)


async def test_when_all_are_busy_a_request_waits_and_then_is_told(loads: Loads) -> None:
    models = models_of(loads, busy_wait_s=0.02)
    async with models.use(A):
        with pytest.raises(ModelsBusy) as caught:
            await used(models, B)
    assert caught.value.retry_after_s
    assert loads.begun == [A]
    assert (await used(models, B)).ref == B
    await models.close(within_s=1)


async def test_a_request_that_waits_is_served_as_soon_as_there_is_room(loads: Loads) -> None:
    models = models_of(loads)
    async with models.use(A):
        waiting = asyncio.create_task(used(models, B))
        await asyncio.sleep(0)
    assert (await waiting).ref == B
    assert loads.voices[0].ended.is_set()
    await models.close(within_s=1)


async def test_the_deadline_is_for_room_and_not_for_the_load(loads: Loads) -> None:
    models = models_of(loads, busy_wait_s=0.01)
    gate = loads.hold(A)
    waiting = await begun(used(models, A), lambda: A in loads.begun)
    await asyncio.wait({waiting}, timeout=0.05)
    assert not waiting.done()
    gate.set()
    await waiting
    await models.close(within_s=1)


@pytest.mark.parametrize(
    ("raised", "told"), [(ModelDamaged("cut"), ModelDamaged), (ZeroDivisionError(), LoadFailed)]
)
async def test_a_failed_load_tells_every_waiter_the_cause_and_may_be_tried_again(
    loads: Loads, raised: Exception, told: type[Exception]
) -> None:
    clock = [100.0]
    models = Models(loads, capacity=1, busy_wait_s=5.0, now=lambda: clock[0])
    loads.errors[A] = raised
    results = await asyncio.gather(*(used(models, A) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [told] * 3
    assert len({id(result) for result in results}) == 3
    with pytest.raises(told) as cooling:
        await used(models, A)
    assert cooling.value.retry_after_s == 2
    assert loads.begun == [A], "asking in a loop starts engines in one"
    clock[0] += 2.0
    del loads.errors[A]
    assert (await used(models, A)).ref == A
    await models.close(within_s=1)


async def test_a_model_that_leaves_is_not_revived(loads: Loads) -> None:
    models = models_of(loads)
    first = await used(models, A)
    first.may_end.clear()
    unloading = asyncio.create_task(models.unload(A, within_s=5))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(used(models, A))
    await asyncio.sleep(0)
    assert models.users(A) is None
    first.may_end.set()
    second = await waiting
    assert second is not first
    assert await unloading == 1000
    await models.close(within_s=1)


async def test_unloading_waits_for_users_and_may_be_left_to_itself(loads: Loads) -> None:
    models = models_of(loads)
    async with models.use(A) as voice:
        with pytest.raises(ModelInUse):
            await models.unload(A, within_s=0.01)
        assert not voice.ended.is_set()
    await voice.ended.wait()
    assert await models.unload(A, within_s=1) is None
    await models.close(within_s=1)


async def test_unloading_a_model_that_loads_lets_its_waiters_have_it_first(loads: Loads) -> None:
    models = models_of(loads)
    gate = loads.hold(A)
    waiting = await begun(used(models, A), lambda: A in loads.begun)
    unloading = asyncio.create_task(models.unload(A, within_s=5))
    await asyncio.sleep(0)
    gate.set()
    assert (await waiting).ref == A
    assert await unloading == 1000
    await models.close(within_s=1)


async def test_a_model_loaded_ahead_stays_for_whoever_asked(loads: Loads) -> None:
    models = Models(loads, capacity=1, busy_wait_s=5.0, reserve_s=0.05)
    await models.bring(A)
    waiting = asyncio.create_task(used(models, B))
    await asyncio.sleep(0)
    assert models.users(A) == 0
    # Nobody comes for it: the one who waits gets the room, without any event.
    assert (await waiting).ref == B
    await models.close(within_s=1)


async def test_a_waiter_who_leaves_takes_nothing_with_him(loads: Loads) -> None:
    models = models_of(loads)
    gate = loads.hold(A)
    waiting = await begun(used(models, A), lambda: A in loads.begun)
    waiting.cancel()
    # The load ends in the moment in which he leaves.
    gate.set()
    await asyncio.gather(waiting, return_exceptions=True)
    while models.users(A) is None:
        await asyncio.sleep(0)
    assert models.users(A) == 0
    assert (await used(models, B)).ref == B
    await models.close(within_s=1)


async def test_a_waiter_who_is_cancelled_while_served_gives_the_model_back(loads: Loads) -> None:
    models = models_of(loads)
    for steps in range(12):
        waiting = asyncio.create_task(used(models, A))
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await used(models, A)
        assert models.users(A) == 0
        assert await models.unload(A, within_s=1) == 1000
    await models.close(within_s=1)


async def test_a_model_that_crashed_leaves_and_is_loaded_again(loads: Loads) -> None:
    models = models_of(loads)
    async with models.use(A) as first:
        first.ended.set()
        async with asyncio.timeout(1):
            second = await used(models, A)
        assert second is not first
    assert models.users(A) == 0
    await models.close(within_s=1)


async def test_what_is_told_follows_what_happens(loads: Loads) -> None:
    models = models_of(loads, capacity=2)
    assert list(models.holdings()) == []
    gate = loads.hold(B)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(models.use(A))
        waiting = await begun(used(models, B), lambda: B in loads.begun)
        told = {each.resident.ref: each for each in models.holdings()}
        assert told[A].resident.users == 1
        assert told[A].idle_s == 0
        assert told[B].resident.state is LoadedState.LOADING
        assert told[B].voice is None
    gate.set()
    await waiting
    await models.close(within_s=1)


async def test_closing_ends_all_and_turns_away_who_waits(loads: Loads) -> None:
    models = models_of(loads, capacity=2)
    await used(models, A)
    loads.hold(B)
    waiting = await begun(used(models, B), lambda: B in loads.begun)
    await models.close(within_s=1)
    with pytest.raises(NoReplica):
        await waiting
    with pytest.raises(NoReplica):
        await used(models, A)
    assert all(voice.ended.is_set() for voice in loads.voices)
