"""Models whose runners crash: how long until the next load, and when there is none."""

import pytest

from sirene_inference.breaker import FIRST_PAUSE_S, LONGEST_OPEN_S, OPEN_S, Breaker
from sirene_shared.errors import RunnerUnstable
from sirene_shared.names import ModelRef

REF, OTHER = ModelRef("tone", "a"), ModelRef("tone", "b")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def crash(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.crashed(REF, "SIGSEGV")


def refused_s(breaker: Breaker) -> int:
    with pytest.raises(RunnerUnstable, match="SIGSEGV") as caught:
        breaker.pause_s(REF)
    assert caught.value.retry_after_s
    return caught.value.retry_after_s


def test_the_pause_grows_and_the_third_crash_in_a_row_ends_it(breaker: Breaker) -> None:
    assert breaker.pause_s(REF) == 0
    crash(breaker, 1)
    assert breaker.pause_s(REF) == 0
    crash(breaker, 1)
    assert breaker.pause_s(REF) == FIRST_PAUSE_S
    crash(breaker, 1)
    assert refused_s(breaker) == OPEN_S
    assert breaker.pause_s(OTHER) == 0


def test_after_a_while_it_is_tried_once_and_refused_for_longer(
    breaker: Breaker, clock: Clock
) -> None:
    crash(breaker, 3)
    expected = OPEN_S
    for _ in range(6):
        assert refused_s(breaker) == expected
        clock.now_s += expected
        assert breaker.pause_s(REF) == 0
        crash(breaker, 1)
        expected = min(2 * expected, LONGEST_OPEN_S)
    assert expected == LONGEST_OPEN_S


def test_speech_that_ends_well_makes_good(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        crash(breaker, 2)
        breaker.spoke(REF)
        assert breaker.pause_s(REF) == 0
    crash(breaker, 3)
    clock.now_s += OPEN_S
    breaker.spoke(REF)
    crash(breaker, 2)
    assert breaker.pause_s(REF) == FIRST_PAUSE_S
