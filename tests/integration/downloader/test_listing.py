"""A hub whose list of files is a trap: it is left early, and costs little memory."""

import asyncio
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiohttp import web

from sirene_downloader import listing
from sirene_downloader.hub_token import HubToken
from sirene_downloader.request import Client
from sirene_downloader.settings import Limits, Settings
from sirene_shared.errors import HubUnavailable, PullError
from sirene_shared.messages import InstallState
from tests.integration.downloader.rig import REPO, Rig
from tests.support.plain_server import serving

MIB = 1 << 20
ENTRY = b'{"rfilename":"a"},'
BEGIN = b'{"sha":"%s","siblings":[' % (b"c" * 40)


def _bomb() -> bytes:
    """100 MB of spaces, packed small, and never here as a whole."""
    packer = zlib.compressobj(wbits=31)
    return b"".join([packer.compress(b" " * MIB) for _ in range(100)] + [packer.flush()])


BOMB = _bomb()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * MIB)


async def long(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(10 << 30)})
    await response.prepare(request)
    while True:
        await response.write(ENTRY * 50_000)


async def bomb(request: web.Request) -> web.StreamResponse:
    return web.Response(body=BOMB, headers={"Content-Encoding": "gzip"})


async def hidden_bomb(request: web.Request) -> web.StreamResponse:
    return web.Response(body=BOMB)


async def many(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(BEGIN)
    for _ in range(20):
        await response.write(ENTRY * 50_000)
    await response.write(b'{"rfilename":"z"}]}')
    return response


async def nothing(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await asyncio.Event().wait()
    return response


def token(value: str) -> HubToken:
    """Of the environment alone."""
    return HubToken(Path("/nonexistent"), value)


@pytest.mark.parametrize("trap", [endless, long, bomb, hidden_bomb, many, nothing])
async def test_no_listing_takes_much_memory_or_time(trap: object) -> None:
    async with serving(trap) as url:  # type: ignore[arg-type]
        chosen = Settings(hf_endpoint=url)
        client = Client(url, token(""), Limits(), policy=chosen.policy([]), proxies=chosen.proxies)
        tracemalloc.start()
        try:
            with ThreadPoolExecutor(1) as executor, pytest.raises(HubUnavailable):
                async with asyncio.timeout(10):
                    await listing.ask(client, executor, url, REPO, "main", within_s=2)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            await client.close()
    assert peak < 32 * MIB


async def test_a_pull_whose_listing_is_a_trap_asks_for_each_file_by_itself(rig: Rig) -> None:
    rig.publish({"model.onnx": b"voice"})

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/api/"):
            return await endless(request)
        raise web.HTTPFound(f"{rig.hub.url}{request.path}")

    async with (
        serving(answer) as url,
        rig.running(hf_endpoint=url, private_origins="127.0.0.1:*"),
    ):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": b"voice"})


async def test_a_refusal_of_the_listing_is_an_error_of_ours() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=401, headers={"X-Error-Code": "RepoNotFound"})

    async with serving(answer) as url:
        chosen = Settings(hf_endpoint=url)
        client = Client(
            url, token("wrong"), Limits(), policy=chosen.policy([]), proxies=chosen.proxies
        )
        with ThreadPoolExecutor(1) as executor, pytest.raises(PullError) as refused:
            await listing.ask(client, executor, url, REPO, "main", within_s=2)
        await client.close()
    assert refused.value.code == "hub_token_refused"
