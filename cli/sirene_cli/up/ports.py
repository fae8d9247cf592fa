"""Which port the API gets, and its address for people."""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

from sirene_cli.failures import CliError
from sirene_cli.up.plan import DEFAULT_PORT

TRIED_PORTS = 100


@contextmanager
def reserve(host: str, wanted: int | None) -> Iterator[int]:
    """A port of `host`: exactly `wanted` (0: any), or the first free one from DEFAULT_PORT on.

    While it is held the kernel gives it to no outgoing connection, so that the API can be started
    on it again and again.

    Raises: CliError.
    """
    family, address = _resolve(host)
    port = _choose(family, address, wanted)
    with socket.socket(family) as holder:
        if sys.platform == "linux":  # elsewhere a held port cannot be listened on
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                holder.bind((address, port))
        yield port


def _choose(family: int, address: str, wanted: int | None) -> int:
    if wanted is not None:
        port = _bound(family, address, wanted)
        if port is None:
            raise CliError(
                f"port {wanted} is taken",
                hint="Name another one with --port, or none to get a free one.",
                code="port_taken",
            )
        return port
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + TRIED_PORTS):
        if _bound(family, address, candidate) is not None:
            return candidate
    raise CliError(
        f"all ports from {DEFAULT_PORT} to {candidate} are taken",
        hint="Name a free one with --port.",
        code="port_taken",
    )


def url(host: str, port: int) -> str:
    """Where a program on this machine reaches what listens on `host`."""
    if host in ("", "0.0.0.0"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    elif host == "::":
        host = "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _resolve(host: str) -> tuple[int, str]:
    try:
        found = socket.getaddrinfo(
            host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise CliError(f"{host!r} is no address of this machine", code="bad_host") from error
    return int(found[0][0]), str(found[0][4][0])


def _bound(family: int, address: str, port: int) -> int | None:
    """The port that a bind gives; None when it is taken. Raises: CliError for a wrong host."""
    with socket.socket(family) as probe:
        # As servers do: the last connections of one that has just ended do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen()
        except PermissionError as error:
            raise CliError(
                f"port {port} is only for root", hint="Take one above 1023.", code="port_denied"
            ) from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return None
            raise CliError(
                f"{address} is no address of this machine",
                hint="See `ip address`.",
                code="bad_host",
            ) from error
        return int(probe.getsockname()[1])
