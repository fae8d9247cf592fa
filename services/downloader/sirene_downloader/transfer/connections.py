"""Connections that are kept between requests, at most so many for each host."""

import base64
import http.client
import ssl
import threading
from collections import defaultdict
from typing import NamedTuple
from urllib.parse import unquote

from yarl import URL

from sirene_downloader.connector import GuardedSocket
from sirene_downloader.origins import Policy
from sirene_downloader.proxies import Proxies
from sirene_downloader.settings import Limits
from sirene_downloader.transfer.line import Line, Stopped
from sirene_downloader.transfer.throttle import Throttle

WAIT_S = 0.1


class Place(NamedTuple):
    """Where a connection leads, and over which proxy: only the same one serves again."""

    scheme: str
    host: str
    port: int
    proxy: URL | None

    @property
    def url(self) -> str:
        return str(URL.build(scheme=self.scheme, host=self.host, port=self.port))

    @property
    def is_relayed(self) -> bool:
        """The proxy itself asks, rather than opening a tunnel."""
        return self.proxy is not None and self.scheme == "http"


class Kept(NamedTuple):
    connection: http.client.HTTPConnection
    is_new: bool


class Connections:
    """Of the whole service."""

    def __init__(
        self, limits: Limits, throttle: Throttle, policy: Policy, proxies: Proxies
    ) -> None:
        self._limits = limits
        self._throttle = throttle
        self._policy = policy
        self._proxies = proxies
        self._context: ssl.SSLContext | None = None
        self._idle: dict[Place, list[http.client.HTTPConnection]] = defaultdict(list)
        self._open: dict[tuple[str, int], int] = defaultdict(int)
        self._changed = threading.Condition()

    def place(self, url: URL) -> Place:
        host, port = url.host or "", url.port or 443
        proxy = self._proxies.for_url(str(url))
        return Place(url.scheme, host, port, URL(proxy) if proxy else None)

    def take(self, place: Place, line: Line, *, fresh: bool = False) -> Kept:
        """An idle connection or a new one, once the host may have one more; fresh: a new one.

        Raises: Stopped, OSError, http.client.HTTPException.
        """
        host, kept = (place.host, place.port), None
        with self._changed:
            while True:
                if line.is_cut:
                    raise Stopped
                if fresh:
                    self._drop_idle(place)
                if self._idle[place]:
                    kept = self._idle[place].pop()
                    break
                if self._open[host] < max(1, self._throttle.connections):
                    self._open[host] += 1
                    break
                self._changed.wait(WAIT_S)
        try:
            if kept is not None:
                line.hold(kept.sock)
                return Kept(kept, is_new=False)
            return Kept(self._connect(place, line), is_new=True)
        except BaseException:
            self._gone(place)
            raise

    def give_back(
        self, place: Place, connection: http.client.HTTPConnection, *, reusable: bool
    ) -> None:
        limit = self._throttle.connections
        with self._changed:
            if reusable and connection.sock and self._open[place.host, place.port] <= limit:
                self._idle[place].append(connection)
                self._changed.notify_all()
                return
        connection.close()
        self._gone(place)

    def close(self) -> None:
        """The idle ones."""
        with self._changed:
            for place in list(self._idle):
                self._drop_idle(place)

    def _drop_idle(self, place: Place) -> None:
        for connection in self._idle.pop(place, []):
            connection.close()
            self._open[place.host, place.port] -= 1

    def _gone(self, place: Place) -> None:
        with self._changed:
            self._open[place.host, place.port] -= 1
            self._changed.notify_all()

    def _connect(self, place: Place, line: Line) -> http.client.HTTPConnection:
        connection = self._new(place)
        if place.proxy is None:
            # A proxy looks names up by itself, and the user chose it wherever it lies.
            connect = GuardedSocket(self._policy, place.url)
            connection._create_connection = connect  # type: ignore[attr-defined]
        line.reach_out()
        try:
            connection.connect()
        finally:
            try:
                line.reached(connection.sock)
            except Stopped:
                connection.close()
                raise
        return connection

    def _new(self, place: Place) -> http.client.HTTPConnection:
        proxy, timeout = place.proxy, self._limits.connect_s
        host, port = place.host, place.port
        if proxy is not None:
            host, port = proxy.host or "", proxy.port or 80
        if place.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        if self._context is None:
            self._context = ssl.create_default_context()
        secure = http.client.HTTPSConnection(host, port, timeout=timeout, context=self._context)
        if proxy is not None:
            secure.set_tunnel(place.host, place.port, proxy_headers(proxy))
        return secure


def proxy_headers(proxy: URL) -> dict[str, str]:
    if not proxy.user:
        return {}
    name = f"{unquote(proxy.user)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(name.encode()).decode()}"}
