"""The fault suites' rig, on the run's bus and on one that a test may kill."""

import platform
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.js import JetStreamContext

from sirene_shared import bus
from tests.faults.rig import FaultRig
from tests.support.hub import Hub
from tests.support.nats import NatsServer


@pytest.fixture
def rig(tmp_path: Path, hub: Hub, nats_server: NatsServer, js: JetStreamContext) -> FaultRig:
    return FaultRig(tmp_path, hub, nats_server.url, js)


@pytest.fixture
async def rig_on_own_bus(
    tmp_path: Path, hub: Hub, own_nats_server: NatsServer
) -> AsyncIterator[FaultRig]:
    client = await bus.connect(own_nats_server.url, "test")
    js = await bus.bootstrap_when_ready(client)
    yield FaultRig(tmp_path, hub, own_nats_server.url, js)
    await client.close()


@pytest.fixture
def can_trace() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("processes are traced on Linux on x86-64 only")
