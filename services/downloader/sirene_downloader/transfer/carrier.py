"""One segment, from the request to the disk."""

from yarl import URL

from sirene_downloader.request import Interrupted
from sirene_downloader.transfer.answer import Anew, body_of, size_mismatch
from sirene_downloader.transfer.file import File
from sirene_downloader.transfer.line import Line, Stopped
from sirene_downloader.transfer.segments import Segment
from sirene_downloader.transfer.wire import BROKEN, Exchange, Wire, unavailable
from sirene_shared.errors import SireneError

# An answer that does not say its length is given so long to show that it ends where it should.
END_S = 1.0


def carry(wire: Wire, file: File, segment: Segment, buffer: memoryview, line: Line) -> None:
    """Fetch the segment, or all that the answer has of it.

    Raises: Stopped, Anew, Interrupted, PullError.
    """
    remote, span = file.remote, (segment.position, segment.end)
    exchange = _ask(wire, file, span, line)
    try:
        status, headers = exchange.status, exchange.headers
        body = body_of(remote, span, status, headers, exchange.length, etag=file.etag)
        if not body.is_whole_file:
            file.takes_ranges = True
        elif not file.claim(segment):
            # It starts at zero, and so must we, but others still write.
            raise Anew(size_mismatch(remote, "cannot be had in pieces"))
        if file.is_empty or not file.etag:
            file.begin(headers.get("ETag", ""))
        exchange.wait_for_bytes(wire.limits.stall_s)
        _receive(wire, file, segment, min(segment.end, body.end), exchange, buffer, line)
        if exchange.length is None:
            _expect_end(file, exchange, buffer)
    finally:
        exchange.close()


def _ask(wire: Wire, file: File, span: tuple[int, int], line: Line) -> Exchange:
    remote, (start, end) = file.remote, span
    headers = {}
    if span != (0, remote.size):
        headers["Range"] = f"bytes={start}-{end - 1}"
        if file.etag and not file.etag.startswith("W/") and not file.is_empty:
            headers["If-Range"] = file.etag
    known, origin = file.location, URL(remote.url)
    try:
        if known is not None:
            try:
                return wire.get(known, remote.path, headers, line)
            except SireneError:
                file.location = None  # signed addresses have their time: a new one may do
        exchange = wire.get(origin, remote.path, headers, line)
    except Interrupted:
        file.location = None
        raise
    file.location = exchange.url if exchange.url != origin else None
    return exchange


def _receive(
    wire: Wire,
    file: File,
    segment: Segment,
    end: int,
    exchange: Exchange,
    buffer: memoryview,
    line: Line,
) -> None:
    throttle = wire.throttle
    while segment.position < end:
        wanted = min(len(buffer), end - segment.position)
        allowed = throttle.take(wanted, lambda: line.is_cut)
        size_bytes = 0
        try:
            if not allowed:
                raise Stopped
            size_bytes = exchange.read_into(buffer[:allowed])
        except BROKEN as error:
            if line.is_cut:
                raise Stopped from error
            raise Interrupted(unavailable(file.remote.path, error)) from error
        finally:
            throttle.give_back(allowed - size_bytes)
        if line.is_cut:
            raise Stopped
        if not size_bytes and exchange.length is not None:
            raise Interrupted(unavailable(file.remote.path, ConnectionResetError()))
        if not size_bytes:
            raise Interrupted(size_mismatch(file.remote, "ends too early"))
        file.write(segment, buffer[:size_bytes])


def _expect_end(file: File, exchange: Exchange, buffer: memoryview) -> None:
    exchange.wait_for_bytes(END_S)
    try:
        more = exchange.read_into(buffer[:1])
    except BROKEN:
        return
    if more:
        raise size_mismatch(file.remote, "does not end where it should")
