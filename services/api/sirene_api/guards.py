"""What is refused before any route sees it, on every path there is, and the id of each request.

A page of another site can make a browser call us: by a name that it points at our address (DNS
rebinding), by a form, by an <img>. So the host must be one of ours, and what changes something must
come from our own pages or from no browser.
"""

import ipaddress
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sirene_api.http_errors import answer_to, body_of, plain_body
from sirene_api.views import ErrorAnswer, ErrorBody
from sirene_shared.errors import CrossSiteRequest, InvalidRequest, SireneError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
EVERY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Streams that a browser can open with a GET; the first one even starts a pull.
PULL_PATH = re.compile(r"/api/models/[^/]+/pull/?", re.ASCII)
EVENTS_PATH = re.compile(r"/api/models/events/?", re.ASCII)
# The one place where a body is a file.
UPLOAD_PATH = re.compile(r"/api/models/[^/]+/files/.+", re.ASCII | re.DOTALL)
HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.ASCII)
OCTETS_TYPE = re.compile(r"application/octet-stream\s*(?:;.*)?", re.ASCII | re.IGNORECASE)
JSON_TYPE = re.compile(r"application/json\s*(?:;.*)?", re.ASCII | re.IGNORECASE)


class Guards:
    """ASGI middleware, outermost: it also covers paths that do not exist."""

    def __init__(self, app: App, *, bound_host: str, host_names: frozenset[str]) -> None:
        """bound_host: where we listen; host_names: further names, chosen by the operator."""
        self._app = app
        self._listens_everywhere = bound_host in EVERY_ADDRESS
        self._trusted = host_names
        bound = f"[{bound_host}]" if ":" in bound_host else bound_host.lower()
        self._hosts = LOOPBACK | host_names | ({bound} if not self._listens_everywhere else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(12)}"
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        added = [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refusal(scope["method"], scope["path"], headers)
        if refused is None:
            await self._app(scope, receive, send_marked)
        else:
            await _answer(send_marked, *refused)

    def _refusal(
        self, method: str, path: str, headers: dict[bytes, str]
    ) -> tuple[int, ErrorBody] | None:
        try:
            self._check_host(headers.get(b"host", ""))
            if method not in SAFE_METHODS or EVENTS_PATH.fullmatch(path):
                self._check_origin(headers)
            elif PULL_PATH.fullmatch(path):
                self._check_origin(headers)
                _check_browser(headers)
        except SireneError as error:
            return answer_to(error.code).status, body_of(error.failure())
        if method == "PUT" and UPLOAD_PATH.fullmatch(path):
            if not OCTETS_TYPE.fullmatch(headers.get(b"content-type", "").strip()):
                hint = "Send the header Content-Type: application/octet-stream."
                return 415, plain_body(415, "a file is sent as it is", hint=hint)
        elif method not in SAFE_METHODS and _is_not_json(headers):
            hint = "Send the header Content-Type: application/json."
            return 415, plain_body(415, "a request body here is JSON", hint=hint)
        return None

    def _check_host(self, host: str) -> None:
        match = HOST.fullmatch(host.lower())
        name = match["name"] if match else ""
        # A name can be rebound to us, an address cannot.
        if name in self._hosts or (self._listens_everywhere and _is_address(name)):
            return
        raise InvalidRequest(
            "this server does not answer under that host name",
            hint="Use localhost, or add the name to SIRENE_ALLOWED_HOSTS.",
        )

    def _check_origin(self, headers: dict[bytes, str]) -> None:
        origin = headers.get(b"origin")
        is_own = origin is None or self._is_own(origin, headers[b"host"])
        site = headers.get(b"sec-fetch-site", "none")
        # With an origin that is fine the browser's own verdict adds nothing.
        if not is_own or (origin is None and site in ("cross-site", "same-site")):
            raise CrossSiteRequest(
                "a page of another site may not do this",
                hint="Call from a page of this server, or from outside a browser.",
            )

    def _is_own(self, url: str, host: str) -> bool:
        try:
            parts = urlsplit(url)
            name = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme not in ("http", "https"):
            return False
        return parts.netloc.lower() == host.lower() or name in self._trusted


def _check_browser(headers: dict[bytes, str]) -> None:
    """A browser starts a pull only from our own page: an <img> carries no Origin."""
    if not headers.get(b"user-agent", "").startswith("Mozilla/"):
        return
    if b"origin" in headers or headers.get(b"sec-fetch-site") == "same-origin":
        return  # the origin is our own, or it would have been refused
    try:
        referer = urlsplit(headers.get(b"referer", "")).netloc
    except ValueError:
        referer = ""
    if referer.lower() != headers[b"host"].lower():
        raise CrossSiteRequest(
            "a browser may start a pull only from a page of this server",
            hint="Use POST, or open the page of this server.",
        )


def _is_not_json(headers: dict[bytes, str]) -> bool:
    kind = headers.get(b"content-type")
    if kind is not None:
        return not JSON_TYPE.fullmatch(kind.strip())
    has_body = headers.get(b"content-length", "0") != "0" or b"transfer-encoding" in headers
    return has_body


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


async def _answer(send: Send, status: int, error: ErrorBody) -> None:
    body = msgspec.json.encode(ErrorAnswer(error=error))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
