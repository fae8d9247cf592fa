"""The parts that the transfer of bytes is made of, each by itself."""

import itertools
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sirene_downloader.origins import Policy
from sirene_downloader.proxies import Proxies
from sirene_downloader.remote import RemoteFile
from sirene_downloader.request import Interrupted
from sirene_downloader.settings import Limits
from sirene_downloader.transfer.answer import Anew, body_of
from sirene_downloader.transfer.connections import Connections, proxy_headers
from sirene_downloader.transfer.journal import Journal
from sirene_downloader.transfer.pilot import FIRST, HOLD_S, MEASURE_S, Pilot
from sirene_downloader.transfer.segments import SEGMENT_BYTES, SMALLEST_BYTES, Ranges, Segments
from sirene_downloader.transfer.throttle import Throttle
from sirene_shared.errors import HubUnavailable, SizeMismatch

MIB = 1 << 20
REMOTE = RemoteFile(path="model.onnx", url="http://hub/x", size=100)


def test_ranges_join_where_they_meet() -> None:
    ranges = Ranges([(10, 20), (30, 40)])
    assert ranges.gaps(50) == [(0, 10), (20, 30), (40, 50)]
    assert ranges.prefix_bytes == 0
    ranges.add(20, 30)
    assert list(ranges) == [(10, 40)]
    ranges.add(0, 12)
    assert (ranges.prefix_bytes, ranges.size_bytes) == (40, 40)
    ranges.add(45, 45)
    assert list(ranges) == [(0, 40)]


@pytest.mark.parametrize("connections", [1, 2, 16])
def test_segments_cover_the_file_once_and_shrink_towards_its_end(connections: int) -> None:
    segments = Segments(300 * MIB, Ranges())
    taken = []
    while (segment := segments.take(connections)) is not None:
        taken.append((segment.position, segment.end))
    assert taken[0][0] == 0
    assert taken[-1][1] == 300 * MIB
    assert all(before[1] == after[0] for before, after in itertools.pairwise(taken))
    sizes = [end - start for start, end in taken]
    assert sizes[0] <= SEGMENT_BYTES
    assert SMALLEST_BYTES <= sizes[-1] <= sizes[0]


def test_what_a_segment_did_not_bring_is_handed_out_again_first() -> None:
    segments = Segments(100 * MIB, Ranges([(0, MIB)]))
    first, second = segments.take(1), segments.take(1)
    assert first is not None
    assert second is not None
    segments.moved(first, 1000)
    end = first.end
    segments.give_back(first)
    again = segments.take(1)
    assert again is not None
    assert (again.position, again.end) == (MIB + 1000, end)
    assert segments.here.prefix_bytes == MIB + 1000


def test_the_journal_tells_what_was_written_to_the_same_boot_only(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "ranges" / "x", boot="one")
    journal.begin(Ranges([(0, 5)]))
    journal.wrote([(5, 10)])
    journal.synced([(20, 30)])
    assert list(journal.read()) == [(0, 10), (20, 30)]
    assert list(Journal(tmp_path / "ranges" / "x", boot="two").read()) == [(0, 5), (20, 30)]
    assert list(Journal(tmp_path / "ranges" / "x", boot="").read()) == [(0, 5), (20, 30)]
    journal.close()


@pytest.mark.parametrize("tail", [b"w 10 2", b"w 10 x\n", b"\0\0\0\0\n", b"w -1 5\n", b"\xff\n"])
def test_a_torn_or_odd_line_ends_the_journal(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"boot one\nw 0 10\n" + tail)
    assert list(Journal(path, boot="one").read()) == [(0, 10)]


def test_no_journal_is_nothing_here(tmp_path: Path) -> None:
    assert not list(Journal(tmp_path / "x").read())


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_no_more_passes_the_throttle_than_its_rate() -> None:
    clock = Clock()
    throttle = Throttle(max_rate=1_000_000, now=clock)
    passed = 0
    for _ in range(1000):
        clock.time += 0.01
        allowed, wait_s = throttle._allow(1 << 20)
        assert allowed or wait_s > 0
        passed += allowed
    assert 9_000_000 < passed <= 10_100_000


def test_a_limit_changed_while_running_counts_at_once() -> None:
    clock = Clock()
    throttle = Throttle(max_rate=1000, connections=4, now=clock)
    throttle.set(max_rate=0)
    assert throttle.take(1 << 20, lambda: False) == 1 << 20
    throttle.set(connections=2)
    assert (throttle.max_rate, throttle.connections) == (0, 2)
    throttle.set(max_rate=10)
    assert throttle.take(1 << 20, lambda: True) == 0


def fly(pilot: Pilot, speed_of_one: float, most: float, seconds: float, limit: int = 16) -> int:
    total, now = 0.0, 0.0
    while now < seconds:
        now += MEASURE_S
        total += min(most, speed_of_one * pilot.count) * MEASURE_S
        pilot.measure(int(total), now, limit=limit, is_busy=True)
    return pilot.count


def test_connections_that_are_capped_each_become_as_many_as_allowed() -> None:
    assert fly(Pilot(0.0, 16), 30e6, 1e12, 3) == 16
    assert fly(Pilot(0.0, 16), 30e6, 1e12, 3, limit=5) == 5


def test_connections_that_do_not_help_are_given_up() -> None:
    assert fly(Pilot(0.0, 16), 400e6, 800e6, HOLD_S) == FIRST


def test_a_complaint_halves_the_connections_for_a_while() -> None:
    pilot = Pilot(0.0, 16)
    fly(pilot, 30e6, 1e12, 3)
    pilot.complaint(0, 3.0)
    assert pilot.count == 8
    for step in range(1, 5):
        assert pilot.measure(step * MIB, 3.0 + step * MEASURE_S, limit=16, is_busy=True) == 8


def head(**named: str) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(
        CIMultiDict({name.replace("_", "-"): value for name, value in named.items()})
    )


def test_a_range_is_taken_as_far_as_it_was_asked_for() -> None:
    body = body_of(REMOTE, (10, 20), 206, head(Content_Range="bytes 10-99/100"), 90, etag="")
    assert body == (10, 20, False)
    short = body_of(REMOTE, (10, 20), 206, head(Content_Range="bytes 10-14/*"), 5, etag="")
    assert short == (10, 15, False)
    assert body_of(REMOTE, (10, 20), 200, head(), 100, etag="") == (0, 100, True)


@pytest.mark.parametrize(
    ("status", "headers", "length", "kind"),
    [
        (416, {}, 0, Anew),
        (206, {}, 10, Anew),
        (206, {"Content_Range": "bytes 0-9/100"}, 10, Anew),
        (206, {"Content_Range": "bytes 10-19/100", "ETag": '"b"'}, 10, Anew),
        (206, {"Content_Range": "bytes 10-19/101"}, 10, SizeMismatch),
        (206, {"Content_Range": "bytes 10-100/*"}, 91, SizeMismatch),
        (206, {"Content_Range": "bytes 10-19/100"}, 9, Interrupted),
        (206, {"Content_Range": "bytes 10-9/100"}, 0, Interrupted),
        (200, {}, 99, SizeMismatch),
        (200, {"Content_Encoding": "gzip"}, 100, SizeMismatch),
        (200, {"Content_Type": "text/html; charset=utf-8"}, 100, HubUnavailable),
    ],
)
def test_an_answer_that_does_not_fit_is_not_believed(
    status: int, headers: dict[str, str], length: int, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        body_of(REMOTE, (10, 20), status, head(**headers), length, etag='"a"')


def test_the_proxy_is_chosen_by_scheme_and_left_out_where_it_is_said() -> None:
    proxies = Proxies(https="http://u:p%40@proxy:3128", no_proxy="inside.example")
    connections = Connections(Limits(), Throttle(), Policy(allowed=()), proxies)
    outside = connections.place(URL("https://hub.example/x"))
    assert outside.proxy is not None
    assert (outside.proxy.host, outside.proxy.port, outside.is_relayed) == ("proxy", 3128, False)
    assert proxy_headers(outside.proxy) == {"Proxy-Authorization": "Basic dTpwQA=="}
    assert connections.place(URL("https://inside.example/x")).proxy is None
    assert connections.place(URL("http://hub.example/x")).proxy is None
