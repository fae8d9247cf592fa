"""What is refused before any route sees it."""

import json
from typing import Any

import pytest

from sirene_api.guards import Guards, Message, Receive, Scope, Send

OWN = "http://localhost:8080"


class Answered:
    """A minimal application, and what came out of the guards."""

    def __init__(self) -> None:
        self.was_reached = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body: dict[str, Any] = {}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.was_reached = True
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.body = json.loads(message["body"])


async def ask(
    method: str,
    path: str,
    headers: dict[str, str],
    *,
    bound_host: str = "127.0.0.1",
    host_names: frozenset[str] = frozenset(),
) -> Answered:
    answered = Answered()
    guards = Guards(answered.app, bound_host=bound_host, host_names=host_names)
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": encoded}

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    await guards(scope, receive, answered.send)
    return answered


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"]
)
async def test_loopback_names_are_answered(host: str) -> None:
    assert (await ask("GET", "/", {"host": host})).was_reached


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "127.1",
        "2130706433",
        "0.0.0.0:8080",
        "192.168.1.5:8080",
        "localhost:8080@evil.example",
        "localhost:8080/x",
        "localhost:",
        "localhost:999999",
        "locálhost",
        "[::2]",
        "[::1",
        "a.local",
        "goodXexample",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/models/events", "/nothing/here"])
async def test_any_other_host_is_refused_on_every_path(host: str, path: str) -> None:
    answered = await ask("GET", path, {"host": host}, host_names=frozenset({"good.example"}))
    assert (answered.status, answered.was_reached) == (400, False)
    assert answered.body["error"]["code"] == "invalid_request"


async def test_a_request_without_a_host_is_refused_whatever_else_it_says() -> None:
    assert (await ask("GET", "/", {"x-forwarded-host": "localhost"})).status == 400


async def test_the_bound_address_and_chosen_names_are_answered() -> None:
    names = frozenset({"sirene.lan"})
    for host in ("192.168.1.5:8080", "sirene.lan", "localhost"):
        answered = await ask("GET", "/", {"host": host}, bound_host="192.168.1.5", host_names=names)
        assert answered.was_reached, host


async def test_bound_to_every_address_any_address_is_answered_but_no_name() -> None:
    for bound in ("0.0.0.0", "::"):
        for host, is_answered in {
            "192.168.1.5:8080": True,
            "[fd00::5]:8080": True,
            "rebound.example": False,
            "999.1.1.1": False,
        }.items():
            answered = await ask("GET", "/", {"host": host}, bound_host=bound)
            assert answered.was_reached is is_answered, host


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://localhost:1"},
        {"origin": "http://localhost:8080.evil.example"},
        {"origin": "file://localhost:8080"},
        {"origin": "http://[::1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_page_of_another_site_changes_nothing(method: str, headers: dict[str, str]) -> None:
    answered = await ask(method, "/anything", {"host": "localhost:8080"} | headers)
    assert (answered.status, answered.was_reached) == (403, False)
    assert answered.body["error"]["code"] == "cross_site_request"


@pytest.mark.parametrize(
    "headers", [{}, {"origin": OWN}, {"origin": OWN, "sec-fetch-site": "same-origin"}]
)
async def test_our_own_page_and_a_program_may_change_things(headers: dict[str, str]) -> None:
    assert (await ask("POST", "/anything", {"host": "localhost:8080"} | headers)).was_reached


async def test_a_page_under_a_chosen_name_may_change_things() -> None:
    headers = {"host": "localhost:8080", "origin": "https://sirene.lan"}
    answered = await ask("POST", "/x", headers, host_names=frozenset({"sirene.lan"}))
    assert answered.was_reached


async def test_reading_is_open_to_links_from_elsewhere() -> None:
    headers = {"host": "localhost", "sec-fetch-site": "cross-site", "user-agent": "Mozilla/5.0"}
    assert (await ask("GET", "/", headers)).was_reached
    assert (await ask("GET", "/api/models", headers)).was_reached
    assert (await ask("GET", "/api/models/events", headers)).status == 403
    assert (await ask("GET", "/api/models/piper/pull", headers)).status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 200),
        ({"content-type": "application/json; charset=utf-8", "content-length": "2"}, 200),
        ({}, 200),
        ({"content-length": "0"}, 200),
        ({"content-length": "2"}, 415),
        ({"transfer-encoding": "chunked"}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/jsonp"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
    ],
)
async def test_a_body_must_be_json(headers: dict[str, str], status: int) -> None:
    assert (await ask("POST", "/x", {"host": "localhost"} | headers)).status == status


async def test_every_answer_has_an_id_of_its_own() -> None:
    fine = await ask("GET", "/", {"host": "localhost"})
    refused = await ask("GET", "/", {"host": "evil.example"})
    assert fine.headers[b"x-request-id"] != refused.headers[b"x-request-id"]
    assert refused.headers[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("PUT", "/api/models/piper:x/files/model.onnx", "application/octet-stream", 200),
        ("PUT", "/api/models/piper:x/files/a/b.json", "application/octet-stream; x=y", 200),
        ("PUT", "/api/models/piper:x/files/model.onnx", "application/json", 415),
        ("PUT", "/api/models/piper:x/files/model.onnx", "text/plain", 415),
        ("PUT", "/api/models/piper:x/files/", "application/octet-stream", 415),
        ("PUT", "/api/settings/hub-token", "application/octet-stream", 415),
        ("POST", "/api/models/piper:x/files/model.onnx", "application/octet-stream", 415),
    ],
)
async def test_a_file_is_sent_where_files_are_taken_and_nowhere_else(
    method: str, path: str, kind: str, status: int
) -> None:
    headers = {"host": "localhost", "content-type": kind, "content-length": "5"}
    assert (await ask(method, path, headers)).status == status
