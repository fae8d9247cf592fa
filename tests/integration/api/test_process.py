"""The real program: starting, ending, and being honest about the bus."""

import asyncio
import os
import shutil
import signal
import sys
import time
from contextlib import AsyncExitStack

import httpx

from sirene_shared import bus
from sirene_shared.presence import announce, present
from sirene_shared.subjects import API_SERVICE, DOWNLOADER_SERVICE, INFERENCE_SERVICE
from tests.integration.api.serving import Program, program
from tests.support.nats import NatsServer

READY = "/api/health/ready"
HONEST_S = 5.0
EXIT_S = 2.0


async def readiness(http: httpx.AsyncClient) -> int:
    return (await http.get(READY)).status_code


async def becomes(http: httpx.AsyncClient, status: int, *, within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while await readiness(http) != status:
            await asyncio.sleep(0.05)


def client(running: Program) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=running.url, timeout=20)


async def test_sigterm_with_open_event_streams_ends_clean_and_soon(
    own_nats_server: NatsServer,
) -> None:
    async with program(own_nats_server.url) as running, client(running) as http:
        await becomes(http, 200)
        async with AsyncExitStack() as streams:
            paths = ["/api/models/events"] * 20 + ["/api/models/piper/pull"] * 5
            lines = []
            for path in paths:
                answer = await streams.enter_async_context(http.stream("GET", path))
                lines.append(answer.aiter_lines())
                await anext(lines[-1])
            asked_at = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            for line in lines:  # each one ends properly: a cut would raise
                async for _ in line:
                    pass
            assert await running.process.wait() == 0
            assert time.monotonic() - asked_at < EXIT_S


async def test_it_starts_without_a_bus_and_recovers_by_itself(own_nats_server: NatsServer) -> None:
    own_nats_server.kill()
    async with program(own_nats_server.url) as running, client(running) as http:
        assert (await http.get("/api/health/live")).json() == {"status": "ok"}
        for ask in (
            http.get(READY),
            http.get("/api/models"),
            http.get("/v1/models"),
            http.post("/api/models/piper/pull"),
            http.delete("/api/models/piper"),
            http.post("/models/unload", json={"all": True}),
            http.post("/v1/audio/speech", json={"model": "piper", "input": "Bonjour"}),
        ):
            answer = await ask
            assert answer.status_code == 503, answer.url
            assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["error"]["code"] == "bus_unavailable"
        assert "bus is away" in (await http.get("/")).text
        own_nats_server.start()
        await becomes(http, 200)
        assert (await http.get("/api/models")).status_code == 200
        assert (await http.post("/api/models/piper/pull")).status_code == 202


async def test_readiness_is_honest_when_the_bus_dies_and_when_it_freezes(
    own_nats_server: NatsServer,
) -> None:
    async with program(own_nats_server.url) as running, client(running) as http:
        await becomes(http, 200)
        own_nats_server.freeze()
        asked_at = time.monotonic()
        assert await readiness(http) == 503
        assert time.monotonic() - asked_at < HONEST_S
        assert (await http.head("/api/health/live")).status_code == 200
        own_nats_server.thaw()
        await becomes(http, 200)

        own_nats_server.kill()
        await becomes(http, 503, within_s=HONEST_S)
        posted = await http.post("/api/models/piper/pull")
        assert (posted.status_code, posted.json()["error"]["code"]) == (503, "bus_unavailable")
        own_nats_server.start()
        await becomes(http, 200)


async def test_readiness_names_the_services_that_are_there(own_nats_server: NatsServer) -> None:
    async with program(own_nats_server.url) as running, client(running) as http:
        await becomes(http, 200)
        checks = (await http.get(READY)).json()["checks"]
        assert checks["downloader"] == checks["inference"] == {"ok": False, "replicas": []}
        nc = await bus.connect(own_nats_server.url, "test")
        await announce(nc, DOWNLOADER_SERVICE, "d1")
        await announce(nc, INFERENCE_SERVICE, "i1")
        await bus.settle(nc)
        checks = (await http.get(READY)).json()["checks"]
        assert checks["bus"] == {"ok": True}
        assert checks["downloader"] == {"ok": True, "replicas": ["d1"]}
        assert checks["inference"] == {"ok": True, "replicas": ["i1"]}
        assert len(await present(nc, API_SERVICE)) == 1
        await nc.close()


async def test_a_store_that_was_wiped_is_declared_again(own_nats_server: NatsServer) -> None:
    async with program(own_nats_server.url) as running, client(running) as http:
        await becomes(http, 200)
        own_nats_server.kill()
        shutil.rmtree(own_nats_server.folder / "jetstream")
        own_nats_server.start()
        await becomes(http, 200)
        assert (await http.post("/api/models/piper/pull")).status_code == 202


async def test_what_cannot_be_understood_is_said_before_the_start() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sirene_api",
        env=os.environ | {"SIRENE_PORT": "many"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 2
    assert b"SIRENE_PORT" in told
    assert b"Traceback" not in told
