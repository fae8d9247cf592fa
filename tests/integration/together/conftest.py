"""The real API before real downloaders, on the run's bus."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from tests.integration.api.serving import Api, serving
from tests.integration.downloader.rig import Rig
from tests.support.hub import Hub
from tests.support.nats import NatsServer

Serving = Callable[[], AbstractAsyncContextManager[Api]]


@pytest.fixture
def rig(tmp_path: Path, hub: Hub, nats_server: NatsServer, js: JetStreamContext) -> Rig:
    return Rig(tmp_path, hub, nats_server.url, js)


@pytest.fixture
def api_of_rig(rig: Rig, nats_server: NatsServer) -> Serving:
    """The API with the rig's catalogue, as it is when it starts; its state is read."""

    @asynccontextmanager
    async def start() -> AsyncIterator[Api]:
        async with serving(nats_server.url, manifests_path=rig.manifests) as api:
            async with asyncio.timeout(20):
                while (await api.http.get("/api/health/ready")).status_code != 200:
                    await asyncio.sleep(0.02)
            yield api

    return start
