"""One answer with the bytes of a file, right or as wrong as it was asked to be."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from tests.support.hub.fault import Fault
from tests.support.hub.files import File

CHUNK_BYTES = 64 << 10
# A body without an end has one all the same, so that a client that takes it all does not hurt us.
ENDLESS_BYTES = 64 << 20
STEPS_PER_S = 20


def asked_span(request: web.BaseRequest, size: int) -> range:
    """What the request asks for of a file of so many bytes."""
    asked = request.http_range
    if asked.start is None:
        return range(size)
    start = max(0, size + asked.start) if asked.start < 0 else asked.start
    return range(start, min(asked.stop or size, size))


def reset(request: web.BaseRequest) -> None:
    """Break the connection so that the client's system says so too."""
    if request.transport is not None:
        held = request.transport.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()


class Answer:
    def __init__(
        self,
        request: web.Request,
        file: File,
        fault: Fault,
        *,
        commit: str,
        content_type: str,
        rate_bytes_s: float | None,
        sent: Callable[[int], None],
        released: asyncio.Event,
    ) -> None:
        """sent: told of every piece of the body; released: set when nothing shall stall longer."""
        self._request = request
        self._file = file
        self._fault = fault
        self._commit = commit
        self._content_type = "text/html" if fault.html else content_type
        self._rate_bytes_s = fault.rate_bytes_s or rate_bytes_s
        self._sent = sent
        self._released = released

    async def send(self) -> web.StreamResponse:
        fault, size = self._fault, self._file.size
        etag = f'"{fault.etag or self._file.etag}"'
        headers = {"ETag": etag, "Accept-Ranges": "bytes", "X-Repo-Commit": self._commit}
        unchanged = self._request.headers.get("If-Range", etag) == etag
        is_part = self._request.http_range.start is not None and unchanged
        if fault.ignores_ranges or fault.body is not None or fault.gzip:
            is_part = False
        span = asked_span(self._request, size) if is_part else range(size)
        if is_part and not span:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        if is_part:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        if self._file.is_large:
            headers["X-Linked-Etag"] = f'"{self._file.sha256}"'
            headers["X-Linked-Size"] = str(size)
        body = self._whole()
        if body is not None:
            span = range(len(body))
        elif fault.length is not None:
            span = range(span.start, span.start + fault.length)
        response = web.StreamResponse(status=206 if is_part else 200)
        response.content_type = self._content_type
        if fault.gzip:
            headers["Content-Encoding"] = "gzip"
        headers |= fault.headers
        response.headers.update({name: value for name, value in headers.items() if value})
        if not (fault.chunked or fault.endless):
            response.content_length = len(span)
        await response.prepare(self._request)
        if self._request.method == "GET":
            with suppress(ConnectionError):  # the client has left
                await self._pour(response, span, body)
        return response

    def _whole(self) -> bytes | None:
        if self._fault.gzip:
            return gzip.compress(self._file.read(0, self._file.size))
        return self._fault.body

    async def _pour(self, response: web.StreamResponse, span: range, body: bytes | None) -> None:
        fault = self._fault
        position = span.start
        stop = span.stop + (ENDLESS_BYTES if fault.endless else 0)
        while position < stop:
            if position == fault.drop_at:
                # What was written is on its way, and the client shall get it.
                await asyncio.sleep(0)
                if self._request.transport:
                    self._request.transport.abort()
                return
            if position == fault.stall_at:
                await self._released.wait()
            size = min(self._piece_bytes(), stop - position)
            for edge in (fault.drop_at, fault.stall_at):
                if edge is not None and position < edge:
                    size = min(size, edge - position)
            await response.write(self._piece(position, size, body))
            position += size
            self._sent(size)
            if self._rate_bytes_s:
                await asyncio.sleep(size / self._rate_bytes_s)

    def _piece_bytes(self) -> int:
        if self._fault.chunk_bytes:
            return self._fault.chunk_bytes
        if self._rate_bytes_s:
            return max(1, min(CHUNK_BYTES, int(self._rate_bytes_s / STEPS_PER_S)))
        return CHUNK_BYTES

    def _piece(self, position: int, size: int, body: bytes | None) -> bytes:
        fault = self._fault
        if fault.html:
            return b"<html>".ljust(size, b" ")
        start = position + fault.shift
        piece = self._file.read(start, start + size) if body is None else body[start : start + size]
        piece = piece.ljust(size, b"\0")
        if fault.flip_at is not None and position <= fault.flip_at < position + size:
            at = fault.flip_at - position
            piece = piece[:at] + bytes([piece[at] ^ 0xFF]) + piece[at + 1 :]
        return piece
