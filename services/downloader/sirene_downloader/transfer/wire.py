"""GET over kept connections: redirects by hand, the token to its own host alone."""

import http.client
import logging
import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from sirene_downloader.hub_token import HubToken
from sirene_downloader.origins import Policy
from sirene_downloader.proxies import Proxies
from sirene_downloader.request import MAX_REDIRECTS, REDIRECTS, Interrupted, check, follow
from sirene_downloader.settings import Limits
from sirene_downloader.transfer.connections import Connections, Place, proxy_headers
from sirene_downloader.transfer.line import Line, Stopped
from sirene_downloader.transfer.throttle import Throttle
from sirene_shared.errors import HubUnavailable, OriginRefused

log = logging.getLogger(__name__)

# The body of a redirect or refusal is read to its end, if it is no longer, to keep the connection.
SMALL_BYTES = 64 << 10
BROKEN = (OSError, http.client.HTTPException, ValueError)


class _Stale(Exception):
    """A connection that was kept has been closed at the other end meanwhile."""


class Exchange:
    """An answer whose body is to be read; close() it in any case."""

    def __init__(
        self,
        connections: Connections,
        place: Place,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        sock: socket.socket | None,
        url: URL,
        line: Line,
    ) -> None:
        self._socket = sock
        self._connections = connections
        self._place = place
        self._connection = connection
        self._response = response
        self._line = line
        self._is_open = True
        self.url = url
        """Where the answer really is from."""
        self.status = response.status
        self.headers = CIMultiDictProxy(CIMultiDict(response.headers.items()))
        self.length = response.length
        """Of the body; None: it ends where it ends."""
        self._left = response.length

    def read_into(self, view: memoryview) -> int:
        """What has come, at least a byte; 0 at the end. Raises: OSError, HTTPException."""
        response = self._response
        if self._left is None:
            return response.readinto(view)
        if not self._left or response.fp is None:
            return 0
        view = view[: self._left]
        # readinto() would wait until the view is full.
        size_bytes = response.fp.readinto1(view)
        # TLS gives a record at a time, 16 KiB: what has come beside it is taken along.
        while 0 < size_bytes < len(view) and self._has_more():
            try:
                more = response.fp.readinto1(view[size_bytes:])
            except BROKEN:
                break  # the next read tells of it; this one has bytes to give
            if not more:
                break
            size_bytes += more
        self._left -= size_bytes
        return size_bytes

    def _has_more(self) -> bool:
        """More has come over TLS, so that a read does not wait."""
        sock = self._socket
        if not isinstance(sock, ssl.SSLSocket):
            return False
        return sock.pending() > 0 or bool(select.select([sock], [], [], 0)[0])

    def wait_for_bytes(self, seconds: float) -> None:
        """So long without a byte is too long from now on."""
        if self._socket is not None:
            self._socket.settimeout(seconds)

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._line.let_go()
        is_read = self._left == 0 or self._response.isclosed()
        reusable = is_read and not self._response.will_close
        with suppress(*BROKEN):
            self._response.close()
        self._connections.give_back(self._place, self._connection, reusable=reusable)

    def drain(self) -> None:
        """Read what is left if it is little, and close."""
        try:
            if self._left is not None and self._left <= SMALL_BYTES:
                rest = memoryview(bytearray(SMALL_BYTES))
                while self.read_into(rest):
                    pass
        except BROKEN:
            pass
        finally:
            self.close()


class Wire:
    """Fetches from the hub and every other origin; one for the whole service."""

    def __init__(
        self,
        *,
        endpoint: str,
        token: HubToken,
        limits: Limits,
        throttle: Throttle,
        policy: Policy,
        proxies: Proxies,
    ) -> None:
        self._home = URL(endpoint).origin()
        self._token = token
        self._policy = policy
        self.limits = limits
        self.throttle = throttle
        self._connections = Connections(limits, throttle, policy, proxies)

    def close(self) -> None:
        self._connections.close()

    def get(self, url: URL, what: str, headers: Mapping[str, str], line: Line) -> Exchange:
        """A final answer that is no refusal: 200, 206 or 416.

        what: the file, for messages.
        Raises: Stopped, Interrupted, HubUnavailable, OriginRefused, and what refusal() makes.
        """
        for _ in range(MAX_REDIRECTS + 1):
            exchange = self._ask(url, what, headers, line)
            try:
                if exchange.status not in REDIRECTS:
                    check(exchange.status, exchange.headers, what, has_token=self._is_home(url))
                    return exchange
                url = follow(url, exchange.headers, what)
            except BaseException:
                exchange.drain()
                raise
            exchange.drain()
        raise HubUnavailable(
            f"the hub sends us from place to place for {what!r}", hint="Try again later."
        )

    def _ask(self, url: URL, what: str, headers: Mapping[str, str], line: Line) -> Exchange:
        if url.scheme not in ("http", "https") or not url.host:
            raise HubUnavailable(f"the address of {what!r} is not valid")
        own = {"Authorization": f"Bearer {self._token.value}"} if self._is_home(url) else {}
        try:
            self._policy.check(str(url))
            place = self._connections.place(url)
            try:
                return self._exchange(url, place, {**headers, **own}, line, fresh=False)
            except _Stale:
                return self._exchange(url, place, {**headers, **own}, line, fresh=True)
        except OriginRefused as refused:
            log.warning("%s at %s: %s", what, url.raw_authority, refused.message)
            raise
        except (*BROKEN, _Stale) as error:
            if line.is_cut:
                raise Stopped from error
            raise Interrupted(unavailable(what, error)) from error

    def _exchange(
        self, url: URL, place: Place, headers: Mapping[str, str], line: Line, *, fresh: bool
    ) -> Exchange:
        connection, is_new = self._connections.take(place, line, fresh=fresh)
        target = url.raw_path_qs
        if place.is_relayed:
            target = str(url.with_fragment(None))
            headers = {**headers, **proxy_headers(place.proxy)} if place.proxy else headers
        sock = connection.sock  # the connection forgets it when the answer is its last one
        try:
            if sock is not None:
                sock.settimeout(self.limits.headers_s)
            connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
            port = "" if url.is_default_port() else f":{url.port}"
            connection.putheader("Host", f"{url.host_subcomponent}{port}")
            connection.putheader("Accept-Encoding", "identity")
            connection.putheader("User-Agent", "sirene-downloader")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            # The socket's own timeout is for each byte; a trickle of headers must end too.
            with line.within(self.limits.headers_s):
                response = connection.getresponse()
        except BaseException as error:
            line.let_go()
            self._connections.give_back(place, connection, reusable=False)
            if not is_new and isinstance(error, ConnectionError):
                raise _Stale from error
            raise
        return Exchange(self._connections, place, connection, response, sock, url, line)

    def _is_home(self, url: URL) -> bool:
        return bool(self._token.value) and url.origin() == self._home


def unavailable(what: str, error: Exception) -> HubUnavailable:
    if isinstance(error, TimeoutError):
        return HubUnavailable(
            f"nothing comes from the hub any more for {what!r}",
            hint="Pull again: it goes on where it stopped.",
        )
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return HubUnavailable(
            "the hub cannot be reached",
            hint="Check the network and HF_ENDPOINT, and pull again: it goes on where it stopped.",
        )
    return HubUnavailable(
        f"the connection to the hub broke while {what!r} was on its way",
        hint="Pull again: it goes on where it stopped.",
    )
