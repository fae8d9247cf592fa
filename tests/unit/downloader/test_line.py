"""What one thread waits on, broken by another."""

import socket
import time
from collections.abc import Iterator

import pytest

from sirene_downloader.transfer.line import Line, Stopped

HOUR_S = 3600.0


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_trickles_is_broken_when_its_time_is_over(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    line = Line()
    line.hold(ours)
    with line.within(HOUR_S):
        theirs.send(b"HTTP/1.1 2")
        line.look(time.monotonic())
        assert ours.recv(100) == b"HTTP/1.1 2"
        line.look(time.monotonic() + 2 * HOUR_S)
        assert ours.recv(100) == b""


def test_what_follows_has_no_such_end(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    line = Line()
    line.hold(ours)
    with line.within(HOUR_S):
        pass
    line.look(time.monotonic() + 2 * HOUR_S)
    theirs.send(b"body")
    assert ours.recv(100) == b"body"


def test_a_line_that_is_cut_takes_no_new_socket(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    line = Line()
    line.hold(ends[0])
    line.cut()
    assert ends[0].recv(100) == b""
    with pytest.raises(Stopped):
        line.hold(ends[1])
