"""Server-sent events out of a byte stream, as the HTML standard says to read them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

# An event of ours has a few kilobytes; more than this without an end is no event stream.
MAX_EVENT_BYTES = 16 << 20


class Event(NamedTuple):
    kind: str
    data: str
    id: str
    """The last id seen, which a reconnect tells the server."""


class EventTooLong(ValueError):
    """What is read is no event stream."""


class EventReader:
    """Feed it chunks as they come; ask `last_id` and `retry_s` when the stream broke."""

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_s: float | None = None
        """How long the server asks to wait before a reconnect."""
        self._rest = b""
        self._kind = ""
        self._data: list[str] = []
        self._is_first_line = True

    def read(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        for chunk in chunks:
            yield from self.feed(chunk)

    def restart(self) -> None:
        """Forget a half event: the connection it came over is gone. `last_id` stays."""
        self._rest, self._kind, self._data, self._is_first_line = b"", "", [], True

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that `chunk` completes. Raises: EventTooLong."""
        self._rest += chunk
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise EventTooLong
        # A line ends in LF, CR or CRLF; a CR at the end of a chunk may be half of a CRLF.
        held = b"\r" if self._rest.endswith(b"\r") else b""
        text = self._rest.removesuffix(b"\r") if held else self._rest
        lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        for line in lines:
            event = self._take(line.decode("utf-8", "replace"))
            if event:
                yield event

    def _take(self, line: str) -> Event | None:
        if self._is_first_line:
            line, self._is_first_line = line.removeprefix("\ufeff"), False
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                self._kind = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self.last_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_s = int(value) / 1000
        return None

    def _dispatch(self) -> Event | None:
        kind, data = self._kind or "message", self._data
        self._kind, self._data = "", []
        return Event(kind, "\n".join(data), self.last_id) if data else None
