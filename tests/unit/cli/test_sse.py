"""Reading server-sent events, cut anywhere."""

import pytest

from sirene_cli.sse import MAX_EVENT_BYTES, Event, EventReader, EventTooLong

STREAM = (
    "\ufeffretry: 1500\n"
    ": a comment\n"
    'id: j1/1\nevent: progress\ndata: {"file":\n'
    'data:"é\u2028"}\n\n'
    "event: nothing\n\n"
    "data\r\n\r\n"
    "id: j1/2\rdata:  two spaces\r\r"
    "id: bad\0id\nretry: soon\nunknown: x\ndata: last\n\n"
    "data: never ended\n"
)
EVENTS = [
    Event("progress", '{"file":\n"é\u2028"}', "j1/1"),
    Event("message", "", "j1/1"),
    Event("message", " two spaces", "j1/2"),
    Event("message", "last", "j1/2"),
]


@pytest.mark.parametrize("length", [1, 2, 3, 7, 10_000])
def test_events_are_the_same_however_the_bytes_are_cut(length: int) -> None:
    body = STREAM.encode()
    reader = EventReader()
    chunks = [body[start : start + length] for start in range(0, len(body), length)]
    assert list(reader.read(chunks)) == EVENTS
    assert (reader.last_id, reader.retry_s) == ("j1/2", 1.5)


def test_a_reconnect_forgets_the_half_event_and_keeps_the_id() -> None:
    reader = EventReader()
    assert list(reader.feed(b"id: j1/7\ndata: half\nda")) == []
    reader.restart()
    assert list(reader.feed(b"data: whole\n\n")) == [Event("message", "whole", "j1/7")]


def test_what_never_ends_an_event_is_no_stream() -> None:
    reader = EventReader()
    assert list(reader.feed(b"x" * MAX_EVENT_BYTES)) == []
    with pytest.raises(EventTooLong):
        list(reader.feed(b"x"))
