"""Limits as the environment says, until somebody changes them."""

from sirene_downloader.limits import CurrentLimits
from sirene_shared.messages import PullLimits
from sirene_shared.subjects import DOWNLOADS_KEY

ENVIRONMENT = PullLimits(pulls=2, max_rate=0, connections=8)


class Throttle:
    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def set(self, *, max_rate: int, connections: int) -> None:
        self.told.append((max_rate, connections))


def test_a_throttle_follows_every_change_and_returns_to_the_environment() -> None:
    limits, throttle = CurrentLimits(ENVIRONMENT), Throttle()
    limits.hold(throttle)
    limits.take(DOWNLOADS_KEY, PullLimits(max_rate=5_000_000, pulls=4).encode())
    assert limits.pulls == 4
    limits.take(DOWNLOADS_KEY, PullLimits(connections=3).encode())
    limits.take(DOWNLOADS_KEY, None)
    assert throttle.told == [(0, 8), (5_000_000, 8), (0, 3), (0, 8)]
    assert limits.pulls == 2


def test_what_cannot_be_read_and_what_is_of_others_changes_nothing() -> None:
    limits = CurrentLimits(ENVIRONMENT)
    limits.take(DOWNLOADS_KEY, b'{"pulls": 0}')
    limits.take("something-else", PullLimits(pulls=9).encode())
    assert limits.now == ENVIRONMENT
