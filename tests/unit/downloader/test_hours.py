"""The hours of the day in which pulls run."""

from datetime import UTC, datetime

import pytest

from sirene_downloader.hours import Hours
from sirene_shared.errors import InvalidRequest


def at(text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "open_at", "closed_at"),
    [
        ("22:00-06:00", ["22:00", "23:59", "0:00", "05:59"], ["06:00", "12:00", "21:59"]),
        ("9:30-10:00", ["09:30", "09:59"], ["09:29", "10:00"]),
        ("00:00-01:00, 12:00-13:00", ["00:00", "12:30"], ["01:00", "13:00"]),
        ("", ["00:00", "12:00"], []),
    ],
)
def test_hours_are_open_from_their_start_up_to_their_end(
    hours: str, open_at: list[str], closed_at: list[str]
) -> None:
    parsed = Hours.parse(hours)
    assert all(parsed.are_open(at(time)) for time in open_at)
    assert not any(parsed.are_open(at(time)) for time in closed_at)


@pytest.mark.parametrize("hours", ["22-6", "24:00-06:00", "06:00-06:00", "06:60-07:00", "night"])
def test_what_are_no_hours_is_refused(hours: str) -> None:
    with pytest.raises(InvalidRequest, match="SIRENE_PULL_HOURS"):
        Hours.parse(hours)
