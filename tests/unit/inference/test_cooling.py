"""How long a load that failed is not tried again."""

import pytest

from sirene_inference.cooling import Cooling
from sirene_shared.errors import (
    LoadFailed,
    ModelDamaged,
    ModelNotInstalled,
    OutOfMemory,
    RunnerCrashed,
    SireneError,
)
from sirene_shared.names import ModelRef

A = ModelRef("model", "a")


def test_each_failure_doubles_the_wait_up_to_a_minute() -> None:
    cooling, now, waits = Cooling(), 0.0, list[int]()
    for _ in range(8):
        cooling.failed(A, now, OutOfMemory("there is none left"))
        error = cooling.refusal(A, now)
        assert isinstance(error, OutOfMemory)
        assert error.retry_after_s
        waits.append(error.retry_after_s)
        assert cooling.refusal(A, now + error.retry_after_s - 0.1)
        now += error.retry_after_s
        assert cooling.refusal(A, now) is None
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_load_that_succeeds_and_a_quiet_minute_begin_anew() -> None:
    cooling = Cooling()
    for now in (0.0, 10.0):
        cooling.failed(A, now, LoadFailed("cut"))
    cooling.succeeded(A)
    assert cooling.refusal(A, 10.1) is None
    cooling.failed(A, 20.0, LoadFailed("cut"))
    cooling.failed(A, 200.0, LoadFailed("cut"))
    assert cooling.refusal(A, 202.0) is None


def test_damage_may_be_repaired_at_any_moment() -> None:
    cooling = Cooling()
    for now in (0.0, 3.0, 6.0):
        cooling.failed(A, now, ModelDamaged("cut"))
        assert cooling.refusal(A, now + 1.9)
        assert cooling.refusal(A, now + 2.0) is None


@pytest.mark.parametrize("error", [ModelNotInstalled("pull it"), RunnerCrashed("SIGSEGV")])
def test_what_costs_nothing_or_is_bounded_elsewhere_is_asked_each_time(error: SireneError) -> None:
    cooling = Cooling()
    cooling.failed(A, 0.0, error)
    assert cooling.refusal(A, 0.0) is None
