"""Where a request's connection may lead: names are looked up here, and only what passes is used."""

import logging
import socket
from collections.abc import Callable

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from sirene_downloader.origins import Policy
from sirene_downloader.proxies import Proxies
from sirene_shared.errors import OriginRefused

log = logging.getLogger(__name__)

DNS_CACHE_S = 10


class GuardedResolver(AbstractResolver):
    """Gives the connector no address that the policy refuses.

    The connection is made to what comes out of here and nothing else, so that a name that says
    something else the second time gains nothing.
    """

    def __init__(self, policy: Policy, proxies: Proxies, resolver: AbstractResolver) -> None:
        self._policy = policy
        self._proxies = proxies
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: OriginRefused when no address of the host may be used."""
        found = await self._resolver.resolve(host, port, family)
        if self._proxies.is_proxy(host, port):
            return found
        # Only a pattern without a port looks at the scheme, and then the port tells it.
        scheme = "http" if port == 80 else "https"
        refusal, good = None, []
        for each in found:
            try:
                self._policy.check_address(f"{scheme}://{host}:{port}/", each["host"])
                good.append(each)
            except OriginRefused as error:
                refusal = error
        if refusal is not None:
            log.warning("%r has an address that is not public: it is not used", host)
            if not good:
                raise refusal
        return good

    async def close(self) -> None:
        await self._resolver.close()


class GuardedSocket:
    """socket.create_connection() for threads, to the addresses of one origin that may be used.

    As `http.client` takes it: `connection._create_connection = GuardedSocket(policy, url)`. Not for
    a connection to a proxy.
    """

    def __init__(self, policy: Policy, url: str) -> None:
        self._policy = policy
        self._url = url

    def __call__(
        self,
        address: tuple[str, int],
        timeout: float | None = None,
        source_address: tuple[str, int] | None = None,
    ) -> socket.socket:
        """Raises: OriginRefused, OSError."""
        self._policy.check(self._url)
        error: OSError | OriginRefused | None = None
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        for place in dict.fromkeys(each[4][:2] for each in found):
            try:
                self._policy.check_address(self._url, str(place[0]))
                return socket.create_connection(
                    (str(place[0]), int(place[1])), timeout, source_address
                )
            except (OSError, OriginRefused) as refused:
                error = refused
        raise error or OSError("the host has no address")


def guarded_connector(
    policy: Policy,
    proxies: Proxies,
    resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(
        resolver=GuardedResolver(policy, proxies, resolver()), ttl_dns_cache=DNS_CACHE_S
    )
