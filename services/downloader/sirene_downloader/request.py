"""One HTTP request: redirects by hand, the token to its own host alone, refusals as our errors."""

import asyncio
import email.utils
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sirene_downloader.connector import guarded_connector
from sirene_downloader.hub_token import HubToken
from sirene_downloader.origins import Policy
from sirene_downloader.proxies import Proxies
from sirene_downloader.refusal import refusal
from sirene_downloader.settings import Limits
from sirene_shared.errors import (
    HubRateLimited,
    HubUnavailable,
    OriginRefused,
    SireneError,
)

log = logging.getLogger(__name__)

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
READ_BUFFER_BYTES = 1 << 20
# What the hub says about a file before it sends us on to where the bytes are.
LINKED_SIZE = "X-Linked-Size"
ABOUT = (LINKED_SIZE, "X-Linked-Etag", "X-Repo-Commit")


class Interrupted(Exception):
    """It may go better next time; `error` is what to say when it never does."""

    def __init__(self, error: SireneError, *, after_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.after_s = after_s


class Answer(NamedTuple):
    response: aiohttp.ClientResponse
    about: CIMultiDict[str]
    """The ABOUT headers of all hops, the first to say something heard."""

    async def chunks(self, what: str) -> AsyncIterator[bytes]:
        """The body as it comes. Raises: Interrupted."""
        while True:
            try:
                chunk = await self.response.content.readany()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise Interrupted(_unavailable(what, error)) from error
            if not chunk:
                return
            yield chunk


class Client:
    """Asks the hub and every other origin; one for the whole service."""

    def __init__(
        self, endpoint: str, token: HubToken, limits: Limits, *, policy: Policy, proxies: Proxies
    ) -> None:
        self._home = URL(endpoint).origin()
        self._token = token
        self._limits = limits
        self._policy = policy
        self._proxies = proxies
        # Without trust_env: neither .netrc nor the environment is read here.
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(policy, proxies),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=limits.connect_s, sock_read=limits.stall_s
            ),
            headers={"Accept-Encoding": "identity", "User-Agent": "sirene-downloader"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            read_bufsize=READ_BUFFER_BYTES,
        )

    async def close(self) -> None:
        await self._session.close()

    @asynccontextmanager
    async def request(
        self, method: str, url: str, what: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Answer]:
        """A final answer that is no refusal: 200, 206 or 416.

        A HEAD request also ends where enough is known, and where HEAD itself is refused (405).

        what: the file, for messages.
        Raises: Interrupted, HubUnavailable, OriginRefused, and what refusal() makes.
        """
        target, about = URL(url), CIMultiDict[str]()
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._send(method, target, what, headers or {})
            try:
                for name in ABOUT:
                    if name in response.headers:
                        about.setdefault(name, response.headers[name])
                known = method == "HEAD" and LINKED_SIZE in about
                if response.status not in REDIRECTS or known:
                    refused = response.status not in REDIRECTS
                    if refused and not (method == "HEAD" and response.status == 405):
                        has_token = self._is_home(target)
                        check(response.status, response.headers, what, has_token=has_token)
                    yield Answer(response, about)
                    return
                target = follow(target, response.headers, what)
            finally:
                response.release()  # which closes it when there is more to come
        raise HubUnavailable(
            f"the hub sends us from place to place for {what!r}", hint="Try again later."
        )

    async def _send(
        self, method: str, url: URL, what: str, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        own = _bearer(self._token.value) if self._is_home(url) else {}
        try:
            self._policy.check(str(url))
        except OriginRefused as refused:
            log.warning("%s at %s: %s", what, url.raw_authority, refused.message)
            raise
        try:
            async with asyncio.timeout(self._limits.connect_s + self._limits.headers_s):
                return await self._session.request(
                    method,
                    url,
                    headers={**headers, **own},
                    allow_redirects=False,
                    proxy=self._proxies.for_url(str(url)),
                )
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise HubUnavailable(
                f"the address of {what!r} is not valid",
                hint="Check HF_ENDPOINT and the manifest.",
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Interrupted(_unavailable(what, error)) from error

    async def status_with(self, url: str, token: str) -> int | None:
        """What the hub answers to another token than ours; None: nothing."""
        try:
            self._policy.check(url)
            async with self._session.get(
                url,
                headers=_bearer(token),
                allow_redirects=False,
                proxy=self._proxies.for_url(url),
            ) as response:
                return response.status
        except (aiohttp.ClientError, ValueError, TimeoutError, OSError, OriginRefused):
            return None

    def _is_home(self, url: URL) -> bool:
        return bool(self._token.value) and url.origin() == self._home


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def follow(here: URL, headers: CIMultiDictProxy[str], what: str) -> URL:
    """Where a redirect leads. Raises: HubUnavailable for a place that must not be followed."""
    # Already encoded, and often signed: it must go back letter by letter.
    target = here.join(URL(headers.get("Location", ""), encoded=True))
    if target.scheme not in ("http", "https") or not target.host:
        raise HubUnavailable(
            f"the hub sends us to a place that is none for {what!r}",
            hint="The hub or a proxy is at fault: check HF_ENDPOINT, or pull again later.",
        )
    if here.scheme == "https" and target.scheme == "http":
        raise HubUnavailable(
            f"the hub sends us from https to http for {what!r}: refused",
            hint="The connection would no longer be private; check the hub's address.",
        )
    return target


def check(
    status: int, headers: CIMultiDictProxy[str], what: str, *, has_token: bool = False
) -> None:
    """Return for an answer to go on with, else raise what its status means.

    has_token: one was sent.
    """
    reason = headers.get("X-Error-Code", "")
    if status in (200, 206, 416):
        return
    if status in (401, 403, 404, 410):
        raise refusal(status, reason, what, has_token=has_token)
    if status == 429:
        limited = HubRateLimited("the hub asks us to slow down", hint="Pull again later.")
        raise Interrupted(limited, after_s=_retry_after(headers))
    failed = HubUnavailable(f"the hub answered {status} for {what!r}", hint="Pull again later.")
    if status == 408 or status >= 500:
        raise Interrupted(failed, after_s=_retry_after(headers))
    raise failed


def _retry_after(headers: CIMultiDictProxy[str]) -> float | None:
    """Seconds; a date counts from the server's own clock where it tells it."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        then = email.utils.parsedate_to_datetime(text).timestamp()
        now = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
    except (ValueError, TypeError, KeyError):
        return None
    return max(0.0, then - now)


def _unavailable(what: str, error: Exception) -> HubUnavailable:
    if isinstance(error, TimeoutError):
        return HubUnavailable(
            f"nothing comes from the hub any more for {what!r}",
            hint="Pull again: it goes on where it stopped.",
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return HubUnavailable(
            "the hub cannot be reached",
            hint="Check the network and HF_ENDPOINT, and pull again: it goes on where it stopped.",
        )
    return HubUnavailable(
        f"the connection to the hub broke while {what!r} was on its way",
        hint="Pull again: it goes on where it stopped.",
    )
