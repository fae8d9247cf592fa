"""The API for tests: in this process on a free port, or as the program it really is."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import httpx
import uvicorn

from sirene_api.app import NO_UI, Application, create_app
from sirene_api.events import HEARTBEAT_S
from sirene_api.settings import Settings
from sirene_api.web_ui import WebUI
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from sirene_shared.web_ui import Missing
from tests.support.waiting import until

NO_BUS = "nats://127.0.0.1:1"
LISTENING = re.compile(rb"listening on (http://\S+)")


class Api(NamedTuple):
    """A running API and a client of it."""

    http: httpx.AsyncClient
    url: str
    app: Application

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


async def known(api: Api, ref: ModelRef, state: InstallState, job: str = "") -> None:
    """Return once the API has seen this state of the model."""
    status = api.app.catalog.status
    await until(lambda: (status(ref).state, status(ref).job) == (state, job))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are the test run's


@asynccontextmanager
async def serving(
    nats_url: str = NO_BUS,
    *,
    heartbeat_s: float = HEARTBEAT_S,
    ui: WebUI | Missing = NO_UI,
    **settings: object,
) -> AsyncIterator[Api]:
    app = create_app(Settings(nats_url=nats_url, **settings), ui=ui, heartbeat_s=heartbeat_s)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, lifespan="on", log_config=None, timeout_graceful_shutdown=5
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=20) as http:
            yield Api(http, url, app)
    finally:
        app.hub.end_all()
        server.should_exit = True
        await running


class Program(NamedTuple):
    """`python -m sirene_api`, running."""

    process: asyncio.subprocess.Process
    url: str


@asynccontextmanager
async def program(nats_url: str) -> AsyncIterator[Program]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SIRENE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sirene_api",
        env=environ | {"NATS_URL": nats_url, "SIRENE_PORT": "0", "SIRENE_UI": "0"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            while not (match := LISTENING.search(await process.stderr.readline())):
                assert process.returncode is None
        yield Program(process, match[1].decode())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
