"""The decisions of the cache, by examples; test_residents_machine.py tries them in any order."""

from sirene_inference.resident import Evict, Load, Resident
from sirene_inference.residents import Residents
from sirene_inference.room import Bounds
from sirene_shared.names import ModelRef

A, B, C, D = (ModelRef("model", letter) for letter in "abcd")


def loaded(residents: Residents, ref: ModelRef, now: float) -> Resident:
    residents.want(ref)
    step = residents.next_step(now)
    assert isinstance(step, Load)
    assert step.resident.ref == ref
    residents.loaded(step.resident, now)
    return step.resident


def test_the_least_recently_used_idle_model_leaves() -> None:
    residents = Residents(Bounds(2))
    first, second = loaded(residents, A, 1.0), loaded(residents, B, 2.0)
    residents.take(A, 3.0)
    residents.release(first, 4.0)
    residents.want(C)
    assert residents.next_step(5.0) == Evict(second)
    assert residents.next_step(5.0) is None
    residents.gone(second)
    step = residents.next_step(6.0)
    assert isinstance(step, Load)
    assert step.resident.ref == C


def test_a_model_in_use_is_never_evicted() -> None:
    residents = Residents(Bounds(1))
    used = loaded(residents, A, 1.0)
    residents.take(A, 2.0)
    residents.want(B)
    assert residents.next_step(9.0) is None
    residents.release(used, 10.0)
    assert residents.next_step(10.0) == Evict(used)


def test_loading_counts_against_the_limit() -> None:
    residents = Residents(Bounds(2))
    for ref in (A, B, C):
        residents.want(ref)
    assert isinstance(residents.next_step(1.0), Load)
    assert isinstance(residents.next_step(1.0), Load)
    assert residents.next_step(1.0) is None


def test_a_model_that_leaves_takes_nobody_in_and_is_loaded_anew() -> None:
    residents = Residents(Bounds(2))
    old = loaded(residents, A, 1.0)
    residents.take(A, 1.0)
    residents.leave(old)
    assert residents.take(A, 2.0) is None
    residents.want(A)
    assert residents.next_step(2.0) is None
    residents.release(old, 3.0)
    residents.gone(old)
    step = residents.next_step(3.0)
    assert isinstance(step, Load)
    assert step.resident is not old


def test_room_goes_to_whom_waits_longest() -> None:
    residents = Residents(Bounds(1))
    only = loaded(residents, A, 1.0)
    residents.take(A, 1.0)
    residents.want(B)
    residents.want(C)
    residents.forget(B)
    residents.want(B)
    residents.release(only, 2.0)
    assert residents.next_step(2.0) == Evict(only)
    residents.gone(only)
    step = residents.next_step(2.0)
    assert isinstance(step, Load)
    assert step.resident.ref == C


def test_a_model_that_was_loaded_for_somebody_stays_for_a_moment() -> None:
    residents = Residents(Bounds(1))
    only = loaded(residents, A, 1.0)
    residents.reserve(only, until=3.0)
    residents.want(B)
    assert residents.next_step(2.9) is None
    assert residents.next_alarm(2.9) == 3.0
    assert residents.next_step(3.0) == Evict(only)


def test_a_use_ends_the_reservation() -> None:
    residents = Residents(Bounds(1))
    only = loaded(residents, A, 1.0)
    residents.reserve(only, until=30.0)
    residents.take(A, 2.0)
    residents.release(only, 2.5)
    residents.want(B)
    assert residents.next_step(2.5) == Evict(only)
