"""Which port the API gets."""

import socket

import pytest

from sirene_cli.failures import CliError
from sirene_cli.up import ports
from sirene_cli.up.plan import DEFAULT_PORT


def test_a_taken_default_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", DEFAULT_PORT))
            taken.listen()
        except OSError:
            pass  # somebody else took it, which is as good
        with ports.reserve("127.0.0.1", None) as port:
            assert DEFAULT_PORT < port < DEFAULT_PORT + ports.TRIED_PORTS


def test_a_port_asked_for_is_the_one_or_an_error() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(CliError, match="is taken"),
        ports.reserve("127.0.0.1", taken.getsockname()[1]),
    ):
        pass


def test_a_reserved_port_can_be_listened_on_again_and_again() -> None:
    with ports.reserve("127.0.0.1", 0) as port:
        for _ in range(3):
            with socket.create_server(("127.0.0.1", port)) as server:
                assert server.getsockname()[1] == port


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_a_host_that_is_not_this_machine_is_an_error(host: str) -> None:
    with pytest.raises(CliError, match="no address of this machine"), ports.reserve(host, 0):
        pass


@pytest.mark.parametrize(
    ("host", "url", "is_loopback"),
    [
        ("127.0.0.1", "http://127.0.0.1:80", True),
        ("localhost", "http://localhost:80", True),
        ("::1", "http://[::1]:80", True),
        ("0.0.0.0", "http://127.0.0.1:80", False),
        ("::", "http://[::1]:80", False),
        ("192.0.2.1", "http://192.0.2.1:80", False),
        ("box.example", "http://box.example:80", False),
    ],
)
def test_a_listening_address_becomes_a_url(host: str, url: str, is_loopback: bool) -> None:
    assert (ports.url(host, 80), ports.is_loopback(host)) == (url, is_loopback)
