"""How long a service that ended is waited with."""

from sirene_cli.up.restarts import Backoff


def test_a_service_that_keeps_ending_is_started_ever_later() -> None:
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(6)] == [1, 2, 4, 8, 15, 15]


def test_a_service_that_was_well_comes_back_soon_and_begins_anew() -> None:
    backoff = Backoff()
    waits = [backoff.after(lived_s) for lived_s in (0.1, 0.1, 31, 0.1)]
    assert waits == [1, 2, 0.5, 1]
