"""Sirene's HTTP API for the commands: an answer is a typed view, everything else a CliError."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from sirene_cli.failures import CliError, ErrorBody, Unreachable, told_by_api
from sirene_cli.views import Problem

View = TypeVar("View")
Body = dict[str, object]

CONNECT_S = 5.0
# The longest an answer may stay silent: deleting and unloading wait for speech that runs.
ANSWER_S = 120.0
# A stream says something every 15 s, if only a comment; three missed ones are a dead connection.
STREAM_SILENCE_S = 45.0


def model_path(model: str, *rest: str) -> str:
    return "/".join(["/api/models", quote(model, safe=":"), *rest])


class ApiClient:
    """One per command; closed by its `with` block."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            transport=transport,
            # A proxy of the environment knows nothing of this machine's own ports.
            trust_env=not is_loopback(self.url),
        )

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def fetch(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Body | None = None,
    ) -> bytes:
        """The body of a good answer. Raises: CliError."""
        with self.reachable():
            answer = self._http.request(method, path, params=query, json=body)
        if not answer.is_success:
            raise refusal(answer)
        return answer.content

    def ask(
        self,
        kind: type[View],
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Body | None = None,
    ) -> View:
        """The answer as a view. Raises: CliError."""
        return self.decode(self.fetch(method, path, query=query, body=body), kind)

    def upload(self, path: str, chunks: Iterable[bytes], size_bytes: int) -> None:
        """Send a file as it is read. Raises: CliError; what reading it raises."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size_bytes),
        }
        with self.reachable():
            answer = self._http.put(path, content=chunks, headers=headers)
        if not answer.is_success:
            raise refusal(answer)

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Body | None = None,
        headers: dict[str, str] | None = None,
        silence_s: float = STREAM_SILENCE_S,
    ) -> Iterator[httpx.Response]:
        """A good answer whose body is still to be read.

        Raises: CliError for a bad one; httpx.TransportError where the connection fails.
        """
        timeout = httpx.Timeout(silence_s, connect=CONNECT_S)
        with self._http.stream(
            method, path, params=query, json=body, headers=headers, timeout=timeout
        ) as answer:
            if not answer.is_success:
                answer.read()
                raise refusal(answer)
            yield answer

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """Turns a connection that fails into CliError."""
        try:
            yield
        except httpx.ReadTimeout as error:
            raise Unreachable(
                f"{self.url} did not answer in time",
                hint="Look at its log, and try again.",
                code="api_timeout",
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"Sirene cannot be reached at {self.url}",
                hint="Start it with `sirene up`, or name its address with --url or SIRENE_URL.",
                code="api_unreachable",
            ) from error

    def decode(self, content: bytes | str, kind: type[View]) -> View:
        """Raises: CliError when this is not what Sirene answers."""
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.MsgspecError as error:
            raise CliError(
                f"what answers at {self.url} does not speak Sirene's API: {error}",
                hint="Is --url or SIRENE_URL right, and of the same version as this command?",
                code="unexpected_answer",
            ) from error


def refusal(answer: httpx.Response) -> CliError:
    """The failure that a bad answer, wholly read, tells about."""
    try:
        body = msgspec.json.decode(answer.content, type=Problem).error
    except msgspec.MsgspecError:
        body = ErrorBody(
            message=f"the answer was {answer.status_code} {answer.reason_phrase}".rstrip(),
            hint="Is it Sirene that answers at this address?",
        )
    return told_by_api(body, answer.status_code)


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
