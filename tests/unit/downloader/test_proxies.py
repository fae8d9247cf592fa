"""Which proxy a request goes through."""

import pytest

from sirene_downloader.proxies import Proxies
from sirene_downloader.settings import Settings
from sirene_shared.errors import InvalidRequest
from sirene_shared.settings import read

HUB = "https://huggingface.co/x"


def test_each_scheme_has_its_proxy_and_all_proxy_stands_in() -> None:
    both = Proxies(http="http://a:1", https="b:2", all="http://c:3")
    assert both.for_url("http://x.example/") == "http://a:1"
    assert both.for_url(HUB) == "http://b:2"
    assert Proxies(http="http://a:1").for_url(HUB) is None
    assert Proxies(all="http://c:3").for_url(HUB) == "http://c:3"
    assert Proxies().for_url(HUB) is None


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("*", HUB),
        ("huggingface.co", HUB),
        (".huggingface.co", "https://cdn.huggingface.co/"),
        ("*.huggingface.co", "https://cdn.huggingface.co/"),
        ("huggingface.co", "https://cdn.huggingface.co/"),
        ("x.example, HuggingFace.co", HUB),
        ("x.example huggingface.co:443", HUB),
        ("127.0.0.1", "http://127.0.0.1:8080/"),
        ("10.0.0.0/8", "http://10.1.2.3/"),
        ("::1", "http://[::1]:80/"),
        ("[::1]:80", "http://[::1]/"),
        ("fd00::/8", "http://[fd12::1]/"),
    ],
)
def test_an_exempt_host_is_asked_directly(no_proxy: str, url: str) -> None:
    assert Proxies(all="http://c:3", no_proxy=no_proxy).for_url(url) is None


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("", HUB),
        ("ggingface.co", HUB),
        ("huggingface.co:80", HUB),
        ("huggingface.co.example", HUB),
        ("10.0.0.0/8", "http://11.0.0.1/"),
        ("10.0.0.0/8", "http://10.example.org/"),
        (".", HUB),
    ],
)
def test_another_host_is_not(no_proxy: str, url: str) -> None:
    assert Proxies(all="http://c:3", no_proxy=no_proxy).for_url(url) == "http://c:3"


def test_the_usual_variables_are_read_and_the_lower_case_one_first() -> None:
    chosen = read(
        Settings,
        {
            "HTTPS_PROXY": "http://upper:1",
            "https_proxy": "http://lower:1",
            "HTTP_PROXY": "http://user:geheim@upper:2",
            "NO_PROXY": "a.example",
        },
    ).proxies
    assert chosen.for_url(HUB) == "http://lower:1"
    assert chosen.for_url("https://a.example/") is None
    assert chosen.secrets == ("geheim",)


@pytest.mark.parametrize("url", ["socks5://user:geheim@a:1", "http://", "http://a:b", "http://a:0"])
def test_a_proxy_that_cannot_be_used_is_refused_at_start_and_its_password_not_said(
    url: str,
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(Settings, {"ALL_PROXY": url})
    assert "geheim" not in refused.value.message + refused.value.hint


def test_a_proxy_that_no_request_would_take_is_no_matter() -> None:
    Proxies(http="http://a:1", https="http://a:1", all="socks5://b:2")


def test_only_a_proxys_own_place_is_the_proxy() -> None:
    proxies = Proxies(http="http://proxy.lan:3128", https="https://proxy.lan")
    assert proxies.is_proxy("proxy.lan", 3128)
    assert proxies.is_proxy("proxy.lan", 443)
    assert not proxies.is_proxy("proxy.lan", 80)
