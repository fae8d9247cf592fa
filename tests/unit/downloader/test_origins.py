"""Which hosts may be asked, and at which addresses."""

import ipaddress
import socket

import pytest

from sirene_downloader.connector import GuardedResolver, GuardedSocket
from sirene_downloader.origins import Policy, is_public, pattern_of, patterns
from sirene_downloader.proxies import Proxies
from sirene_downloader.settings import Settings
from sirene_shared.errors import InvalidRequest, OriginRefused

PUBLIC = "https://huggingface.co/acme/voices/resolve/main/model.onnx"
DEFAULT = Settings().policy([])


def policy(allowed: str = "", private: str = "") -> Policy:
    return Policy(allowed=patterns(allowed, "A"), private=patterns(private, "P"))


@pytest.mark.parametrize(
    "url",
    [
        PUBLIC,
        "https://HuggingFace.co/x",
        "https://huggingface.co:443/x",
        "http://huggingface.co/x",
        "https://cdn-lfs.huggingface.co/x?sig=a%2Fb&name=%22x%22",
        "https://cas-bridge.xethub.hf.co/x",
    ],
)
def test_the_hub_and_its_own_hosts_are_allowed(url: str) -> None:
    DEFAULT.check(url)


@pytest.mark.parametrize(
    "url",
    [
        # other hosts, and names that only look like the hub's
        "https://example.org/x",
        "https://huggingface.com/x",
        "https://huggingface.co.example.org/x",
        "https://evilhuggingface.co/x",
        "https://huggingfaceXco/x",
        "https://hf.co/x",
        "https://xhf.co/x",
        "https://.hf.co/x",
        "https://a..hf.co/x",
        "https://*.hf.co/x",
        "https://huggingface.co./x",
        # a host that one parser sees and another does not
        "https://huggingface.co@example.org/x",
        "https://huggingface.co:443@example.org/x",
        "https://user:password@huggingface.co/x",
        "https://@huggingface.co/x",
        "https://example.org\\@huggingface.co/x",
        "https://huggingface.co\\.example.org/x",
        "https://example.org\\\\huggingface.co/x",
        "https:\\\\huggingface.co/x",
        "https://huggingface.co%2eexample.org/x",
        "https://huggingface.co%00.example.org/x",
        "https://huggingface.co\t.example.org/x",
        "https://hugging\nface.co/x",
        " https://huggingface.co/x",
        "https:///huggingface.co/x",
        "https:huggingface.co/x",
        "//huggingface.co/x",
        "https://",
        "https://[huggingface.co]/x",
        "https://[::1/x",
        # other letters and dots
        "https://huggingface。co/x",
        "https://huggingface．co/x",
        "https://ｈuggingface.co/x",
        "https://huggingfaсe.co/x",
        "https://huggin\u212aface.co/x",
        "https://huggingface\u00ad.co/x",
        # ports
        "https://huggingface.co:8443/x",
        "https://huggingface.co:80/x",
        "https://huggingface.co:0/x",
        "https://huggingface.co:/x",
        "https://huggingface.co:65979/x",
        "https://huggingface.co:443:443/x",
        "https://huggingface.co:٤٤٣/x",
        # other schemes
        "file:///etc/passwd",
        "ftp://huggingface.co/x",
        "gopher://huggingface.co/x",
        "javascript://huggingface.co/x",
        # addresses in every notation
        "http://127.0.0.1/x",
        "http://2130706433/x",
        "http://0x7f000001/x",
        "http://0x7f.1/x",
        "http://0177.0.0.1/x",
        "http://127.1/x",
        "http://0/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[::ffff:7f00:1]/x",
        "http://[fe80::1%25eth0]/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/x",
        "http://8.8.8.8/x",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(OriginRefused) as refused:
        DEFAULT.check(url)
    assert refused.value.hint
    assert "example" not in refused.value.message


@pytest.mark.parametrize(
    "url",
    ["http://2130706433/x", "http://0x7f.1/x", "http://0177.0.0.1/x", "http://127.1/x"],
)
def test_a_number_in_disguise_is_refused_even_when_it_is_configured(url: str) -> None:
    with pytest.raises(OriginRefused):
        policy(private="2130706433:*,0x7f.1:*,0177.0.0.1:*,127.1:*").check(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.5",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::c0a8:1",
        "64:ff9b:1::1",
    ],
)
def test_no_private_address_is_connected_to(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(OriginRefused):
        DEFAULT.check_address(PUBLIC, address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "18.155.68.38", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_a_public_address_is(address: str) -> None:
    DEFAULT.check_address(PUBLIC, address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "8.8.8.8.8"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(OriginRefused):
        DEFAULT.check_address(PUBLIC, address)


def test_what_the_user_configured_may_be_private_at_exactly_its_port() -> None:
    chosen = Settings(
        hf_endpoint="http://127.0.0.1:8080/hf",
        mirrors="https://models.lan, http://[::1]:9000/",
        private_origins="10.0.0.5:*,*.intern.example:8443",
    ).policy([])
    for url, address in [
        ("http://127.0.0.1:8080/hf/x", "127.0.0.1"),
        ("https://models.lan/x", "192.168.1.5"),
        ("http://[::1]:9000/x", "::1"),
        ("http://10.0.0.5:81/x", "10.0.0.5"),
        ("https://a.intern.example:8443/x", "10.0.0.9"),
    ]:
        chosen.check(url)
        chosen.check_address(url, address)
    for url in [
        "http://127.0.0.1:8081/x",
        "http://127.0.0.1/x",
        "https://models.lan:8443/x",
        "https://a.intern.example/x",
        "https://intern.example:8443/x",
        "http://[::1]:9001/x",
    ]:
        with pytest.raises(OriginRefused):
            chosen.check(url)
    with pytest.raises(OriginRefused):
        chosen.check_address(PUBLIC, "127.0.0.1")


def test_the_public_hub_is_no_private_host_even_when_it_is_named() -> None:
    named = Settings(
        hf_endpoint="https://huggingface.co/", mirrors="https://huggingface.co"
    ).policy([])
    with pytest.raises(OriginRefused):
        named.check_address(PUBLIC, "10.0.0.1")


def test_a_plain_source_of_a_manifest_is_allowed_but_not_in_our_own_network() -> None:
    chosen = Settings().policy(["https://example.org/voices/x.onnx", "http://u:p@bad.example/x"])
    chosen.check("https://example.org/other")
    chosen.check_address("https://example.org/other", "8.8.8.8")
    with pytest.raises(OriginRefused):
        chosen.check_address("https://example.org/other", "192.168.1.5")
    with pytest.raises(OriginRefused):
        chosen.check("http://bad.example/x")


def test_a_list_of_ones_own_replaces_the_hubs_hosts() -> None:
    chosen = Settings(
        allowed_origins="models.example.org", hf_endpoint="https://hub.example"
    ).policy([])
    chosen.check("https://models.example.org/x")
    chosen.check("https://hub.example/x")
    with pytest.raises(OriginRefused):
        chosen.check(PUBLIC)


@pytest.mark.parametrize(
    "text",
    ["*", "*.", "*.com", "a.*", "*a.example", "*.*.example", "https://a.example", "a b", "[x]"],
)
def test_a_pattern_that_means_too_much_or_nothing_is_refused_at_start(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Settings(allowed_origins=text)


@pytest.mark.parametrize("url", ["mirror.example", "https://user:pw@mirror.example", "ftp://a.b"])
def test_a_mirror_is_a_plain_url(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Settings(mirrors=url)
    assert "pw" not in refused.value.message


class NameServer:
    """Says something else each time."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        return [
            {"hostname": host, "host": address, "port": port, "family": 0, "proto": 0, "flags": 0}
            for address in self._answers.pop(0)
        ]

    async def close(self) -> None: ...


def resolver(
    *answers: list[str], proxies: Proxies | None = None, private: str = ""
) -> GuardedResolver:
    chosen = Settings(private_origins=private).policy([])
    return GuardedResolver(chosen, proxies or Proxies(), NameServer(*answers))  # type: ignore[arg-type]


async def test_a_name_that_is_rebound_to_a_private_address_is_not_followed() -> None:
    names = resolver(["8.8.8.8"], ["127.0.0.1"], ["10.0.0.1", "8.8.4.4"])
    assert [each["host"] for each in await names.resolve("huggingface.co", 443)] == ["8.8.8.8"]
    with pytest.raises(OriginRefused):
        await names.resolve("huggingface.co", 443)
    assert [each["host"] for each in await names.resolve("huggingface.co", 443)] == ["8.8.4.4"]


async def test_a_configured_name_and_a_proxy_may_lie_in_our_own_network() -> None:
    own = resolver(["192.168.1.5"], ["192.168.1.5"], private="models.lan")
    assert await own.resolve("models.lan", 443)
    assert await own.resolve("models.lan", 80)
    proxied = resolver(["10.0.0.1"], ["10.0.0.1"], proxies=Proxies(all="http://proxy.lan:3128"))
    assert await proxied.resolve("proxy.lan", 3128)
    with pytest.raises(OriginRefused):
        await proxied.resolve("proxy.lan", 443)


def test_a_thread_connects_only_where_it_may() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()[:2]
        url = f"http://localhost:{place[1]}/x"
        with pytest.raises(OriginRefused):
            GuardedSocket(policy(allowed="localhost:*"), url)(("localhost", place[1]), 5)
        with pytest.raises(OriginRefused):
            GuardedSocket(policy(private="127.0.0.1:*"), url)(("localhost", place[1]), 5)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
        with GuardedSocket(policy(private="localhost:*"), url)(("localhost", place[1]), 5) as own:
            assert own.getpeername()[:2] == place


def test_the_pattern_of_a_url_is_its_origin() -> None:
    assert pattern_of("https://a.example/x") == pattern_of("https://A.example:443/y")
