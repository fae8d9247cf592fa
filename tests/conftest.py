"""Fixtures that all suites share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_shared import bus
from tests.support.hub import Hub
from tests.support.nats import NatsServer


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for the whole run; `js` empties it before each test."""
    server = NatsServer(tmp_path_factory.mktemp("nats")).start()
    yield server
    server.stop()


@pytest.fixture
def own_nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server that the test may kill and wipe."""
    server = NatsServer(tmp_path / "nats").start()
    yield server
    server.stop()


@pytest.fixture
async def nc(nats_server: NatsServer) -> AsyncIterator[Client]:
    client = await bus.connect(nats_server.url, "test")
    yield client
    await client.close()


@pytest.fixture
async def js(nc: Client) -> JetStreamContext:
    """JetStream with nothing in it but what bootstrap() declares."""
    context = nc.jetstream()
    for stream in await context.streams_info():
        assert stream.config.name is not None
        await context.delete_stream(stream.config.name)
    # Again where it must: a stream's files may still be on their way out when it is made anew.
    return await bus.bootstrap_when_ready(nc)


@pytest.fixture
def hub() -> Iterator[Hub]:
    """An empty hub that answers at `hub.url`."""
    served = Hub()
    with served.serve():
        yield served
