"""The web UI as browsers get it, beside the routes of programs."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sirene_api.web_ui import WebUI
from sirene_shared.web_ui import BUILD_COMMAND, Missing
from tests.integration.api.serving import Api, serving

PAGE = (
    b"<!doctype html><title>Sirene</title><script type=module src=/assets/index-3f9c.js></script>"
)
SCRIPT = b"console.log('sirene');" * 100
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "gzip, br"}
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """As Vite leaves it, next to something that is nobody's business."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "favicon.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "assets" / "index-3f9c.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-3f9c.css").write_bytes(b"a{}" * 1000)
    (folder / "assets" / "index-3f9c.css.gz").write_bytes(gzip.compress(b"a{}" * 1000, 9))
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "assets" / "linked.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
async def api(built: Path) -> AsyncIterator[Api]:
    async with serving(ui=WebUI.load(built)) as running:
        yield running


@pytest.mark.parametrize(
    "path", ["/", "/memory", "/playground", "/settings", "/models/piper:fr_FR-siwis-medium"]
)
async def test_what_a_browser_opens_is_the_page(api: Api, path: str) -> None:
    answer = await api.http.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert answer.content == PAGE
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


async def test_the_page_is_there_for_curl_and_for_monitors_too(api: Api) -> None:
    assert (await api.http.get("/")).content == PAGE
    head = await api.http.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(PAGE))


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/v1/nothing", "/models/piper"])
async def test_a_program_that_asks_for_what_is_not_there_gets_its_404(api: Api, path: str) -> None:
    answer = await api.http.get(path, headers={"accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/nothing", "/v1", "/assets/old-1234.js", "/metrics"])
async def test_not_even_a_browser_gets_the_page_where_programs_ask(api: Api, path: str) -> None:
    assert (await api.http.get(path, headers=BROWSER)).status_code == 404


async def test_the_routes_stay_what_they_are(api: Api) -> None:
    live = await api.http.get("/api/health/live", headers=BROWSER)
    assert live.json() == {"status": "ok"}
    schema = await api.http.get("/schema", headers=BROWSER)
    assert "OpenAPI document" in schema.text
    posted = await api.http.post("/memory", headers=BROWSER)
    assert posted.status_code == 404


async def test_an_asset_is_kept_for_a_year_and_sent_compressed(api: Api) -> None:
    answer = await api.http.get("/assets/index-3f9c.js", headers=BROWSER)
    assert answer.content == SCRIPT
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(SCRIPT) / 4
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("accepted", ["identity", "", "gzip;q=0", "br"])
async def test_who_does_not_take_gzip_gets_none(api: Api, accepted: str) -> None:
    answer = await api.http.get("/assets/index-3f9c.js", headers={"accept-encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.content == SCRIPT


async def test_a_compressed_file_that_the_build_made_is_used(api: Api, built: Path) -> None:
    async with api.http.stream("GET", "/assets/index-3f9c.css", headers=BROWSER) as answer:
        sent = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert sent == (built / "assets" / "index-3f9c.css.gz").read_bytes()
    assert (await api.http.get("/assets/index-3f9c.css.gz")).status_code == 404


@pytest.mark.parametrize("headers", [BROWSER, PLAIN])
async def test_what_a_browser_has_is_not_sent_again(api: Api, headers: dict[str, str]) -> None:
    first = await api.http.get("/favicon.svg", headers=headers)
    etag = first.headers["etag"]
    again = await api.http.get("/favicon.svg", headers=headers | {"if-none-match": f"W/{etag}"})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    other = await api.http.get("/favicon.svg", headers=headers | {"if-none-match": '"x"'})
    assert other.status_code == 200


async def test_the_compressed_form_has_an_etag_of_its_own(api: Api) -> None:
    tags = {
        (await api.http.get("/assets/index-3f9c.js", headers=headers)).headers["etag"]
        for headers in (BROWSER, PLAIN)
    }
    assert len(tags) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%5c..%5csecret.txt",
        "//etc/passwd",
        "/assets/linked.txt",
        "/assets/",
        "/assets",
    ],
)
async def test_nothing_but_the_build_can_be_reached(api: Api, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        writer.write(
            b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode()
        )
        async with asyncio.timeout(10):
            answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    assert b" 404 " in answer.split(b"\r\n", 1)[0]
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2]


async def test_without_a_build_the_plain_page_says_why_and_how_to_get_one() -> None:
    async with serving(ui=Missing("npm <could> not be reached")) as api:
        page = (await api.http.get("/", headers=BROWSER)).text
        deep = await api.http.get("/playground", headers=BROWSER)
    assert "npm &lt;could&gt; not be reached" in page
    assert BUILD_COMMAND in page
    assert "piper" in page
    assert deep.status_code == httpx.codes.NOT_FOUND
