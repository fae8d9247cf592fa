"""Speech over HTTP as a listener has it: the header of a WAV file, and then the audio."""

import http.client
import json
import math
import time
from collections.abc import Callable

from bench.speaking.heard import Heard

HEADER_BYTES, SAMPLE_BYTES = 44, 2
RATE_AT = slice(24, 28)
# uvicorn gives up a connection after five.
IDLE_S = 2.0


class Client:
    """One connection, kept from request to request where the server keeps it."""

    def __init__(
        self, host: str, port: int, path: str, body: Callable[[str], dict[str, object]]
    ) -> None:
        """body: of a request for a text."""
        self._connection = http.client.HTTPConnection(host, port, timeout=120)
        self._path = path
        self._body = body
        self._heard_at = 0.0
        self.is_whole = False
        """Whether the last answer came with its length: not before it was made."""

    def __call__(self, text: str) -> Heard:
        if time.monotonic() - self._heard_at > IDLE_S:
            self._connection.close()
        body, headers = json.dumps(self._body(text)), {"Content-Type": "application/json"}
        began, first, received, header = time.monotonic(), 0.0, 0, b""
        pieces: list[tuple[float, int]] = []
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        assert answer.status == 200, answer.read()
        self.is_whole = answer.getheader("Content-Length") is not None
        while chunk := answer.read1(1 << 16):
            received += len(chunk)
            if not first and received > HEADER_BYTES:
                first = time.monotonic() - began
            elif first:
                pieces.append((time.monotonic() - began - first, received - len(chunk)))
            header = header if len(header) >= HEADER_BYTES else header + chunk[:HEADER_BYTES]
        took_s = time.monotonic() - began
        self._heard_at = time.monotonic()
        rate = int.from_bytes(header[RATE_AT], "little")

        def lasts_s(size_bytes: int) -> float:
            return (size_bytes - HEADER_BYTES) / SAMPLE_BYTES / rate

        ahead_s = min((lasts_s(before) - at_s for at_s, before in pieces), default=math.inf)
        return Heard(first, took_s, lasts_s(received), ahead_s)
