"""Raw bytes that no client of good will sends: 4xx in our shape, never a 5xx, never a hang."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.api.serving import Api, serving

ROOT = Path(__file__).parents[2]
ANSWER_S = 10
IDS = [
    b"..",
    b"%2e%2e",
    b"..%2f..%2fetc%2fpasswd",
    b"%00",
    b"piper%00",
    b"%ff%fe",
    b"piper%5cx",
    b"piper:..",
    b"piper:a..b",
    b"piper:x/y",
    b"piper:%2e%2e%2f",
    b"piper:",
    b":",
    b"PIPER",
    b"-rf",
    b"~root",
    b"CON",
    b"con",
    b"piper:NUL.txt",
    b"%e2%80%ae",
    b"%EF%BC%8E%EF%BC%8E",
    b"a" * 300,
    b"piper:" + b"b" * 300,
    b"%0d%0aX-Evil:%201",
    b"*",
    b">",
    b"piper.x",
    b"piper%20",
]
JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODIES = {
    "no JSON": b'{"model',
    "bad UTF-8": b'{"model": "\xff\xfe"}',
    "lone surrogate": b'{"model": "piper", "input": "\\ud800"}',
    "deep": b"[" * 100_000,
    "deep in a field": b'{"model": "piper", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "huge number": b'{"model": "piper", "input": "a", "speed": ' + b"9" * 5000 + b"}",
    "NaN": b'{"model": "piper", "input": "a", "speed": NaN}',
    "a list": b"[]",
    "null": b"null",
    "too large": b'{"model": "' + b"a" * 7_000_000 + b'"}',
    "NUL in the model": b'{"model": "piper\\u0000", "input": "a"}',
    "path as model": b'{"model": "../../etc/passwd", "input": "a"}',
}


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with serving() as running:
        yield running


async def status_of(api: Api, raw: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(raw)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                ),
                0,
            )
            return int(head.split()[1]), await reader.readexactly(length)
    finally:
        writer.transport.abort()


def request(method: bytes, path: bytes, headers: bytes = b"", body: bytes = b"") -> bytes:
    if body:
        headers += b"Content-Length: %d\r\n" % len(body)
    return b"%b %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n%b" % (method, path, headers, body)


def check_shape(body: bytes) -> None:
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "code", "param", "hint"}
    for secret in (str(ROOT), "site-packages", "Traceback", "127.0.0.1", "nats://", "passwd/"):
        assert secret not in body.decode()


async def test_a_hostile_id_is_refused_on_every_route(api: Api) -> None:
    routes = (
        (b"GET", b"/api/models/%b"),
        (b"DELETE", b"/api/models/%b"),
        (b"GET", b"/api/models/%b/pull"),
        (b"POST", b"/api/models/%b/pull"),
        (b"POST", b"/api/models/piper/pull?variant=%b"),
        (b"POST", b"/api/models/%b/cancel"),
        (b"POST", b"/api/models/%b/load"),
        (b"POST", b"/api/models/%b/unload"),
        (b"GET", b"/v1/audio/voices?model=%b"),
    )
    for model_id in IDS:
        for method, path in routes:
            status, body = await status_of(api, request(method, path % model_id))
            assert 400 <= status < 500, (method, path % model_id, status, body)
            check_shape(body)


async def test_a_hostile_body_is_refused(api: Api) -> None:
    for path in (b"/v1/audio/speech", b"/models/unload"):
        for name, content in BODIES.items():
            status, body = await status_of(api, request(b"POST", path, JSON, content))
            assert 400 <= status < 500, (path, name, status, body)
            check_shape(body)


async def test_a_body_in_tiny_chunks_is_read_and_refused(api: Api) -> None:
    chunks = b"1\r\na\r\n" * 50_000 + b"0\r\n\r\n"
    status, _ = await status_of(api, request(b"POST", b"/v1/audio/speech", JSON + CHUNKED) + chunks)
    assert status == 400


async def test_chunks_are_no_way_around_the_limit(api: Api) -> None:
    for path, count in ((b"/models/unload", 20), (b"/v1/audio/speech", 110)):
        chunks = (b"10000\r\n" + b"a" * 0x10000 + b"\r\n") * count + b"0\r\n\r\n"
        status, _ = await status_of(api, request(b"POST", path, JSON + CHUNKED) + chunks)
        assert status == 413, path


REQUESTS = [
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"POST /models/unload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    b"Content-Length: 3\r\n\r\n{}",
    b"POST /models/unload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /models/unload HTTP/1.1\r\nHost: localhost\r\n" + CHUNKED + b"\r\nzz\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01 no http\r\n\r\n",
    request(b"GET", b"/nothing/here"),
    request(b"PUT", b"/api/models"),
    request(b"BREW", b"/api/models"),
    request(b"GET", b"/api/models?installed=perhaps"),
    request(b"POST", b"/api/models/piper/cancel?keep=perhaps"),
]


async def test_a_hostile_request_is_refused(api: Api) -> None:
    for raw in REQUESTS:
        status, _ = await status_of(api, raw)
        assert 400 <= status < 500, raw


async def test_every_refusal_has_the_one_shape(api: Api) -> None:
    for method, path, status, code in (
        ("GET", "/nothing/here", 404, "not_found"),
        ("PUT", "/api/models", 405, "method_not_allowed"),
        ("GET", "/api/models?installed=perhaps", 400, "invalid_request"),
        ("GET", "/api/models/nope", 404, "model_not_found"),
        ("POST", "/api/models/nope/pull", 404, "model_not_found"),
    ):
        answer = await api.http.request(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert answer.headers["x-request-id"].startswith("req_")
        check_shape(answer.content)
