"""When the memory that speeches took is given back."""

from collections.abc import Callable

import pytest

from sirene_inference.leftovers import BUSY_S, QUIET_S, Leftovers


class Later:
    """A timer that runs out when it is told to."""

    def __init__(self, after_s: float, run_out: Callable[[], None]) -> None:
        self.after_s = after_s
        self.run_out = run_out
        self.daemon = False
        self.is_due = False

    def start(self) -> None:
        assert self.daemon  # it would hold up the end of the process
        self.is_due = True

    def cancel(self) -> None:
        self.is_due = False


class Rig:
    def __init__(self) -> None:
        self.at = 100.0
        self.given = 0
        self.timers: list[Later] = []
        self.leftovers = Leftovers(self.give_back, now=lambda: self.at, timer=self.timer)

    def timer(self, after_s: float, run_out: Callable[[], None]) -> Later:
        self.timers.append(Later(after_s, run_out))
        return self.timers[-1]

    def give_back(self) -> None:
        self.given += 1

    @property
    def due(self) -> list[float]:
        return [timer.after_s for timer in self.timers if timer.is_due]

    def speak(self, lasting_s: float = 1.0) -> None:
        self.leftovers.begins()
        self.at += lasting_s
        self.leftovers.ends()

    def run_out(self) -> None:
        for timer in self.timers:
            if timer.is_due:
                timer.is_due = False
                timer.run_out()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_it_is_given_back_once_nothing_was_spoken_for_a_while(rig: Rig) -> None:
    rig.speak()
    assert rig.due == [QUIET_S]
    rig.run_out()
    assert rig.given == 1
    assert rig.due == []


def test_the_next_speech_puts_it_off(rig: Rig) -> None:
    rig.speak()
    rig.leftovers.begins()
    assert rig.due == []
    rig.leftovers.ends()
    assert rig.due == [QUIET_S]


def test_the_while_begins_with_the_end_of_the_last_of_several(rig: Rig) -> None:
    rig.leftovers.begins()
    rig.leftovers.begins()
    rig.leftovers.ends()
    assert rig.due == []
    rig.leftovers.ends()
    assert rig.due == [QUIET_S]


def test_where_somebody_always_speaks_it_is_given_back_now_and_then(rig: Rig) -> None:
    rig.leftovers.begins()
    for _ in range(3 * int(BUSY_S)):
        rig.speak()
        rig.run_out()
    assert rig.given in (2, 3)


def test_a_first_speech_after_a_long_silence_is_not_taken_for_a_busy_time(rig: Rig) -> None:
    rig.speak()
    rig.run_out()
    rig.at += 10 * BUSY_S
    rig.speak()
    assert rig.due == [QUIET_S]


def test_what_fails_at_it_is_logged_and_the_next_time_tried_again(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the engine would not")

    leftovers = Leftovers(fail, now=lambda: rig.at, timer=rig.timer)
    for _ in range(2):
        leftovers.begins()
        leftovers.ends()
        rig.run_out()
    assert caplog.text.count("could not be given back") == 2
