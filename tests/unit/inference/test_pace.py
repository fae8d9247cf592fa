"""How large the windows are."""

import pytest

from sirene_inference.pace import FIRST_WINDOW, LARGEST_WINDOW, SAFE, Lead, Pace


def test_windows_grow_with_what_is_still_to_be_heard() -> None:
    pace = Pace(frame_s=0.01, overlap=12)
    pace.note(100, 0.1)  # ten times as fast as it is heard
    assert pace.first() == FIRST_WINDOW
    assert pace.next(0.0, 1000) == FIRST_WINDOW
    assert pace.next(0.2, 1000) == SAFE * 200 - 24
    assert pace.next(60.0, 2000) == LARGEST_WINDOW


def test_a_window_is_made_well_before_what_came_before_it_is_heard() -> None:
    pace = Pace(frame_s=0.01, overlap=12)
    pace.note(100, 0.1)
    for left in range(1, 1000):
        for lead_s in (0.1, 0.2, 0.5, 1.0):
            assert (pace.next(lead_s, left) + 24) * 0.001 <= SAFE * lead_s


def test_the_last_two_windows_are_alike_and_a_rest_that_fits_is_made_at_once() -> None:
    pace = Pace(frame_s=0.01, overlap=12)
    pace.note(100, 0.1)
    assert pace.next(0.2, 96) == 96
    assert pace.next(0.2, 100) == 50
    assert pace.next(0.2, 190) == 95
    assert pace.next(0.2, 300) == 96


def test_a_slow_machine_begins_later_so_that_it_can_keep_up() -> None:
    pace = Pace(frame_s=0.01, overlap=12)
    for _ in range(20):
        pace.note(100, 0.5)  # twice as fast as it is heard
    first = pace.first()
    assert first == pytest.approx(24, abs=1)
    # What the first window lasts is what a second one like it takes.
    assert (first + 24) * 0.005 <= (first + 1) * 0.01
    for _ in range(20):
        pace.note(100, 2.0)
    assert pace.first() == LARGEST_WINDOW


def test_a_lead_is_what_was_made_less_what_was_heard_since() -> None:
    clock = Clock()
    lead = Lead(clock)
    clock.at = 3.0
    assert lead.left_s() <= 0
    lead.grows(2.0)
    clock.at = 3.5
    lead.grows(1.0)
    assert lead.left_s() == pytest.approx(2.5)


def test_after_a_gap_it_is_heard_from_then_on() -> None:
    clock = Clock()
    lead = Lead(clock)
    lead.grows(1.0)
    clock.at = 5.0
    assert lead.left_s() == pytest.approx(-4.0)
    lead.grows(1.0)
    assert lead.left_s() == pytest.approx(1.0)


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at
