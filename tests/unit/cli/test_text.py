"""Values as people read them."""

import pytest

from sirene_cli.text import duration, plain, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_951, "100 kB"),
        (999_600, "1.0 MB"),
        (63_206_169, "63.2 MB"),
        (3_400_000_000, "3.4 GB"),
        (5e12, "5.0 TB"),
    ],
)
def test_a_size_has_three_digits_at_most(count: float | None, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_a_duration_has_two_units_at_most(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_what_could_steer_a_terminal_is_escaped() -> None:
    assert plain("é\x1b[2J\n\u202e") == "é\\x1b[2J\\n\\u202e"
