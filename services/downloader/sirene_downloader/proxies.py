"""Which proxy a request goes through, by the variables that every tool on the machine obeys.

They are read once, as settings. A proxy looks names up by itself: what it may reach is its affair,
and so only the name of an origin is checked then, not its address.
"""

import ipaddress
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from sirene_shared.errors import InvalidRequest

DEFAULT_PORTS = {"http": 80, "https": 443}


class Exempt(NamedTuple):
    """An entry of NO_PROXY: a host with all below it, an address, a network, or `*`."""

    host: str
    port: int | None

    @classmethod
    def of(cls, text: str) -> Self:
        host, colon, port = text.rpartition(":")
        if colon and port.isdecimal() and (":" not in host or host.endswith("]")):
            return cls(host.strip("[]"), int(port))
        return cls(text.strip("[]"), None)

    def fits(self, host: str, port: int) -> bool:
        if self.port not in (None, port):
            return False
        if self.host == "*":
            return True
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(self.host, strict=False)
        except ValueError:
            suffix = self.host.removeprefix("*").lstrip(".")
            return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))


class Proxies:
    """http, https: the proxy for URLs of that scheme, with its password if it wants one."""

    def __init__(
        self, *, http: str = "", https: str = "", all: str = "", no_proxy: str = ""
    ) -> None:
        """Raises: InvalidRequest for a proxy that cannot be used."""
        self._by_scheme = {
            "http": _proxy(http or all, "HTTP_PROXY" if http else "ALL_PROXY"),
            "https": _proxy(https or all, "HTTPS_PROXY" if https else "ALL_PROXY"),
        }
        entries = (entry.strip().lower() for entry in no_proxy.replace(" ", ",").split(","))
        self._exempt = [Exempt.of(entry) for entry in entries if entry]

    def for_url(self, url: str) -> str | None:
        """None: the origin is asked directly."""
        parts = urlsplit(url)
        proxy = self._by_scheme.get(parts.scheme, "")
        if not proxy:
            return None
        host, port = (parts.hostname or "").rstrip("."), parts.port or DEFAULT_PORTS[parts.scheme]
        return None if any(entry.fits(host, port) for entry in self._exempt) else proxy

    def is_proxy(self, host: str, port: int) -> bool:
        """The address belongs to a proxy, which the user chose wherever it lies."""
        return any(_place(proxy) == (host, port) for proxy in self._by_scheme.values() if proxy)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Passwords, which no log line may show."""
        found = (urlsplit(proxy).password for proxy in self._by_scheme.values() if proxy)
        return tuple(password for password in found if password)


def _proxy(text: str, setting: str) -> str:
    if not text:
        return ""
    # As curl does: a proxy without a scheme speaks http.
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidRequest(
            f"{setting}: that is no HTTP proxy",
            hint="Write http://host:port, with user:password@ before the host if it wants them;"
            " SOCKS proxies are not supported.",
            param=setting,
        )
    return url


def _place(proxy: str) -> tuple[str, int]:
    parts = urlsplit(proxy)
    return parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
