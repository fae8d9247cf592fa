"""Which hosts may be asked, and at which addresses: every hop of every request must pass here.

A manifest names a host, a redirect names another, and a name server says where either lies: none of
them may lead a request into the network that the downloader stands in.

    policy.check(url)                 before a request, and again for each redirect
    policy.check_address(url, ip)     for the address that is connected to, not for one asked before
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from sirene_shared.errors import InvalidRequest, OriginRefused

# The hub and what it sends us on to for the bytes.
HUB_ORIGINS = ("huggingface.co", "*.huggingface.co", "*.hf.co")
DEFAULT_PORTS = {"https": 443, "http": 80}
ANY_PORT = "*"
MAX_HOST = 253

LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = rf"{LABEL}(?:\.{LABEL})*"
AUTHORITY = re.compile(
    rf"(?:(?P<name>{HOST})|\[(?P<v6>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}))?", re.ASCII
)
PATTERN = re.compile(
    rf"(?:(?P<any>\*\.)?(?P<name>{HOST})|\[(?P<v6>[0-9a-f:.]+)\])(?::(?P<port>[0-9]{{1,5}}|\*))?",
    re.ASCII,
)
# Parsers disagree about these: what one takes for a path is a host to another.
AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
# What has a number for its last label is an address to the resolver, in whatever notation.
NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises: OriginRefused for what is no plain http or https URL."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _refused("its address cannot be read") from None
        # Before lower(), which makes plain letters of a few that are none.
        is_plain = parts.netloc.isascii() and AMBIGUOUS.search(url) is None
        match = AUTHORITY.fullmatch(parts.netloc.lower()) if is_plain else None
        if match is None or parts.scheme not in DEFAULT_PORTS:
            raise _refused("its address is no plain web address")
        host = match["name"] or str(_address(match["v6"]) or "")
        port = int(match["port"]) if match["port"] else DEFAULT_PORTS[parts.scheme]
        if not host or len(host) > MAX_HOST or not 0 < port < 1 << 16:
            raise _refused("its address is no plain web address")
        if NUMERIC.fullmatch(host) and _address(host) is None:
            raise _refused("its host is a number in disguise")
        return cls(parts.scheme, host, port)


class Pattern(NamedTuple):
    """`host`, `*.suffix`, either with `:port` or `:*`; without one it is the scheme's own port."""

    host: str
    with_subdomains: bool
    port: str

    @classmethod
    def of(cls, text: str, setting: str) -> Self:
        """Raises: InvalidRequest."""
        match = PATTERN.fullmatch(text.strip().lower())
        address = _address(match["v6"]) if match and match["v6"] else None
        host = (match["name"] or str(address or "")) if match else ""
        if match is None or not host or (match["any"] and "." not in host):
            raise InvalidRequest(
                f"{setting}: {text!r} is no host",
                hint="Write hosts as models.example.org, *.example.org or 192.168.1.5:8080, with"
                " commas between them.",
                param=setting,
            )
        return cls(host, bool(match["any"]), match["port"] or "")

    def fits(self, origin: Origin) -> bool:
        if self.with_subdomains:
            is_host = origin.host.endswith(f".{self.host}")
        else:
            is_host = origin.host == self.host
        if self.port == ANY_PORT:
            return is_host
        wanted = int(self.port) if self.port else DEFAULT_PORTS[origin.scheme]
        return is_host and origin.port == wanted


class Policy:
    """allowed: hosts at public addresses; private: at any address."""

    def __init__(self, *, allowed: Iterable[Pattern], private: Iterable[Pattern] = ()) -> None:
        self._private = tuple(private)
        self._allowed = (*allowed, *self._private)

    def check(self, url: str) -> None:
        """Raises: OriginRefused."""
        origin = Origin.of(url)
        if not any(pattern.fits(origin) for pattern in self._allowed):
            raise _refused("its host is not among the allowed ones")
        literal = _address(origin.host)
        if literal is not None:
            self._check(origin, literal)

    def check_address(self, url: str, ip: str) -> None:
        """Raises: OriginRefused for an address that is not public, unless the host may have it."""
        address = _address(ip)
        if address is None:
            raise _refused("it lies at an address that is none")
        self._check(Origin.of(url), address)

    def _check(self, origin: Origin, address: Address) -> None:
        if not is_public(address) and not any(each.fits(origin) for each in self._private):
            raise _refused("it lies at a private address")


def pattern_of(url: str) -> Pattern:
    """Exactly the origin of `url`, which the user has configured. Raises: OriginRefused."""
    origin = Origin.of(url)
    return Pattern(origin.host, False, str(origin.port))


def plain_sources(urls: Iterable[str]) -> Iterator[Pattern]:
    """The origins of `urls`; one that is no plain URL is refused when it is asked for."""
    for url in urls:
        with suppress(OriginRefused):
            yield pattern_of(url)


def patterns(text: str, setting: str) -> tuple[Pattern, ...]:
    """A list with commas. Raises: InvalidRequest."""
    return tuple(Pattern.of(each, setting) for each in text.split(",") if each.strip())


def is_public(address: Address) -> bool:
    """Out on the internet: also not by way of an IPv6 address that wraps another one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _refused(why: str) -> OriginRefused:
    # The host is not named: what an error says reaches whoever asked.
    return OriginRefused(
        f"a request to a place that is not allowed was refused: {why}",
        hint="The downloader's log names it. If it is right, add it to SIRENE_ALLOWED_ORIGINS, or"
        " to SIRENE_PRIVATE_ORIGINS when it lies in your own network.",
    )
