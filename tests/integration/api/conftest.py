"""The API against a real nats-server, with the other services played by hand."""

from collections.abc import AsyncGenerator, AsyncIterator

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_shared.inference_requests import SpeakRequest
from sirene_shared.messages import InstallState
from sirene_shared.speech_stream import Frame
from tests.integration.api.roles import SIWIS, Downloader, Replica
from tests.integration.api.serving import Api, serving
from tests.support.nats import NatsServer
from tests.support.waiting import until


@pytest.fixture
async def api(nats_server: NatsServer, js: JetStreamContext) -> AsyncIterator[Api]:
    async with serving(nats_server.url, load_wait_s=5.0, unload_wait_s=5.0) as running:
        yield running


@pytest.fixture
def downloader(nc: Client, js: JetStreamContext) -> Downloader:
    return Downloader(nc, js)


async def one_frame(request: SpeakRequest) -> AsyncGenerator[Frame, None]:
    yield Frame(request.text.encode("utf-16-le"), request.sample_rate or 22_050)


@pytest.fixture
async def replica(nc: Client, js: JetStreamContext) -> Replica:
    """It answers, and speaks the text's own bytes."""
    playing = Replica(nc, js, "replica-1", one_frame)
    await playing.start()
    await playing.report()
    return playing


@pytest.fixture
async def speaking(api: Api, downloader: Downloader, replica: Replica) -> Replica:
    """The model is installed and loaded."""
    await downloader.write(SIWIS, InstallState.INSTALLED)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    await replica.serve(SIWIS)
    return replica
