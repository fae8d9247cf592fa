"""Where a pull may lead: redirects, private addresses, plain web servers, proxies."""

import base64
import hashlib
import random
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from sirene_shared.messages import InstallState
from tests.integration.downloader.rig import REF, REPO, Rig
from tests.support.hub import Fault, Hub
from tests.support.plain_server import serving
from tests.support.proxy import Proxy

CONTENT = random.Random(12).randbytes(1_500_000)
SHA256 = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
PATH = "small/model.onnx"
ELSEWHERE = f"{REPO}/resolve/main/elsewhere.onnx"


@pytest.fixture
def elsewhere() -> Iterator[Hub]:
    hub = Hub()
    hub.add(REPO, "elsewhere.onnx", CONTENT)
    with hub.serve():
        yield hub


def port_of(hub: Hub) -> int:
    return urlsplit(hub.url).port or 0


@pytest.mark.parametrize(
    "allowed",
    ["huggingface.co", "localhost:*", "127.0.0.1:*"],
    ids=["host that is not allowed", "name of a private address", "private address"],
)
async def test_a_redirect_into_our_own_network_is_refused(
    rig: Rig, elsewhere: Hub, allowed: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publish({"model.onnx": CONTENT})
    host = "127.0.0.1" if allowed.startswith("127") else "localhost"
    rig.hub.fault(PATH, Fault(redirect=f"http://{host}:{port_of(elsewhere)}/{ELSEWHERE}"))
    async with rig.running(allowed_origins=allowed):
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "origin_refused"
    assert not status.error.retryable
    assert host not in status.error.message + status.error.hint
    assert host in caplog.text
    assert not elsewhere.asked
    assert not rig.store.directory(REF).exists()


async def test_a_redirect_to_a_host_that_is_configured_is_followed_without_the_token(
    rig: Rig, elsewhere: Hub
) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(redirect=f"http://localhost:{port_of(elsewhere)}/{ELSEWHERE}"))
    chosen = f"localhost:{port_of(elsewhere)}"
    async with rig.running(private_origins=chosen, hf_token="hf_secret"):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert all(seen.had_authorization for seen in rig.hub.log)
    assert not any(seen.had_authorization for seen in elsewhere.log)


async def test_a_repository_of_the_public_hub_is_asked_at_the_endpoint_alone(rig: Rig) -> None:
    """A manifest names huggingface.co; what is configured is asked instead of it."""
    rig.publish({"model.onnx": CONTENT})
    async with rig.running(allowed_origins="nobody.example"):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()


class Plain:
    """A web server with one file."""

    def __init__(self, *, heads: bool = True, **headers: str) -> None:
        self.heads = heads
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.seen: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(request)
        if request.method == "HEAD" and not self.heads:
            return web.Response(status=405)
        span = request.http_range
        headers, body = {"ETag": '"v1"', **self.headers}, CONTENT[span.start : span.stop]
        if span.start is None:
            return web.Response(body=CONTENT, headers=headers)
        end = span.start + len(body) - 1
        headers["Content-Range"] = f"bytes {span.start}-{end}/{len(CONTENT)}"
        return web.Response(status=206, body=body, headers=headers)


async def pull_plain(rig: Rig, plain: Plain, **file: object) -> str:
    """The code of the error that it ends with; empty: it is installed."""
    async with serving(plain.answer) as url:
        rig.write_manifest([{"path": "model.onnx", **file}], url=f"{url}/voices/")
        private = f"127.0.0.1:{urlsplit(url).port}"
        async with rig.running(private_origins=private, hf_token="hf_secret"):
            await rig.pull()
            status = await rig.reaches(InstallState.INSTALLED, InstallState.FAILED)
            await rig.answered()
    assert not any("Authorization" in request.headers for request in plain.seen)
    if status.error is None:
        rig.check_installed({"model.onnx": CONTENT})
    return status.error.code if status.error else ""


@pytest.mark.parametrize("heads", [True, False])
async def test_a_file_may_lie_on_any_web_server(rig: Rig, heads: bool) -> None:
    assert await pull_plain(rig, Plain(heads=heads)) == ""


@pytest.mark.parametrize("name", ["Repr_Digest", "Digest", "x_amz_checksum_sha256"])
async def test_the_sha256_that_a_web_server_states_is_checked(rig: Rig, name: str) -> None:
    wrong = base64.b64encode(bytes(32)).decode()
    form = {"Repr_Digest": "sha-256=:{}:", "Digest": "SHA-256={}"}.get(name, "{}")
    assert await pull_plain(rig, Plain(**{name: form.format(wrong)})) == "hash_mismatch"


async def test_a_web_servers_sha256_is_compared_with_the_manifests_before_a_byte_is_fetched(
    rig: Rig,
) -> None:
    plain = Plain(Repr_Digest=f"sha-256=:{SHA256}:")
    assert await pull_plain(rig, plain, sha256="0" * 64) == "hash_mismatch"
    assert all(request.method == "HEAD" for request in plain.seen)


async def test_a_web_server_in_our_own_network_must_be_configured(rig: Rig) -> None:
    plain = Plain()
    async with serving(plain.answer) as url:
        rig.write_manifest([{"path": "model.onnx"}], url=f"{url}/voices/")
        async with rig.running():
            await rig.pull()
            status = await rig.reaches(InstallState.FAILED)
            await rig.answered()
    assert status.error is not None
    assert status.error.code == "origin_refused"
    assert not plain.seen


HUB_BEHIND = "http://hub.invalid"


async def test_a_pull_goes_through_the_proxy_which_alone_is_told_its_password(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    routes = {("hub.invalid", 80): ("127.0.0.1", port_of(rig.hub))}
    async with Proxy(routes, user="somebody:geheim") as proxy:
        async with rig.process(HF_ENDPOINT=HUB_BEHIND, HTTP_PROXY=proxy.url):
            await rig.pull()
            await rig.reaches(InstallState.INSTALLED)
            await rig.answered()
        rig.check_installed({"model.onnx": CONTENT})
        assert {seen.method for seen in proxy.log} >= {"GET"}
        assert all(seen.target.startswith(f"{HUB_BEHIND}/") for seen in proxy.log)
    assert len(proxy.log) >= len(rig.hub.log) > 1
    assert "geheim" not in rig.log


async def test_https_is_tunnelled_and_the_hubs_name_is_left_to_the_proxy(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with (
        Proxy({}) as proxy,
        rig.running(hf_endpoint="https://hub.invalid", https_proxy=proxy.url),
    ):
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "hub_unavailable"
    assert proxy.log
    assert {(seen.method, seen.target) for seen in proxy.log} == {("CONNECT", "hub.invalid:443")}


async def test_an_exempt_hub_is_asked_directly(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with Proxy({}) as proxy, rig.running(all_proxy=proxy.url, no_proxy="127.0.0.1"):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    assert not proxy.log


async def test_a_redirect_is_no_way_round_the_policy_through_a_proxy(
    rig: Rig, elsewhere: Hub
) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(redirect=f"http://127.0.0.1:{port_of(elsewhere)}/{ELSEWHERE}"))
    routes = {("hub.invalid", 80): ("127.0.0.1", port_of(rig.hub))}
    async with (
        Proxy(routes) as proxy,
        rig.running(hf_endpoint=HUB_BEHIND, http_proxy=proxy.url, allowed_origins="127.0.0.1:*"),
    ):
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "origin_refused"
    assert all(seen.target.startswith(HUB_BEHIND) for seen in proxy.log)
