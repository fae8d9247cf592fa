"""Durations as people write them."""

import pytest

from sirene_shared.durations import FOREVER, kept_s, on_the_wire, parse_duration


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(300, 300), (0, 0), (1.5, 1.5), ("300", 300), ("90s", 90), ("5m", 300), ("1h30m", 5400),
     (" 2d ", 172800), ("250ms", 0.25), ("0", 0), ("0m", 0), (-1, FOREVER), ("-1", FOREVER),
     ("-5m", FOREVER), ("-0", 0)],
)  # fmt: skip
def test_seconds_and_durations_are_understood(given: float | str, seconds: float) -> None:
    assert parse_duration(given) == seconds


@pytest.mark.parametrize(
    "given", ["", "-", "m", "5 m", "5x", "m5", "1h-3m", "nan", "inf", "1e9", "٥m", "9" * 40]
)
def test_anything_else_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(given)


def test_forever_crosses_the_bus_as_a_negative_number() -> None:
    assert kept_s(on_the_wire(FOREVER)) == FOREVER
    assert kept_s(on_the_wire(7.0)) == 7.0
    assert kept_s(None) is None
