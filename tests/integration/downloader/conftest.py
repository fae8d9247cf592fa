"""The downloader's rig on the run's bus, and on one that a test may kill."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from sirene_shared import bus
from tests.integration.downloader.rig import Rig
from tests.support.hub import Hub
from tests.support.nats import NatsServer


@pytest.fixture
def rig(tmp_path: Path, hub: Hub, nats_server: NatsServer, js: JetStreamContext) -> Rig:
    return Rig(tmp_path, hub, nats_server.url, js)


@pytest.fixture
async def rig_on_own_bus(
    tmp_path: Path, hub: Hub, own_nats_server: NatsServer
) -> AsyncIterator[Rig]:
    client = await bus.connect(own_nats_server.url, "test")
    js = await bus.bootstrap_when_ready(client)
    yield Rig(tmp_path, hub, own_nats_server.url, js)
    await client.close()
