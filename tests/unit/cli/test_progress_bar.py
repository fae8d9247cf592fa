"""What a pull's progress says."""

from sirene_cli.progress_bar import amount
from sirene_cli.views import PullEvent


def test_a_transfer_tells_bytes_speed_and_time_left() -> None:
    event = PullEvent(
        state="downloading",
        phase="downloading",
        done_bytes=12_100_000,
        total_bytes=63_206_169,
        speed_bytes_s=8e6,
        eta_s=6.4,
        attempt=2,
    )
    assert amount(event) == "12.1 MB of 63.2 MB, 8.0 MB/s, 6 s left, attempt 2"


def test_what_is_not_known_is_not_told() -> None:
    assert amount(PullEvent(phase="downloading", done_bytes=5)) == "5 B"
    assert amount(PullEvent(state="queued")) == "queued"
    assert amount(PullEvent(state="verifying", phase="verifying")) == "verifying"
