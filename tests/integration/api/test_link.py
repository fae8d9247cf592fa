"""The connection to the bus, beyond what nats-py mends by itself."""

import asyncio

from nats.js import JetStreamContext

from sirene_api.catalog import Catalog
from sirene_api.link import BusLink
from sirene_shared.ending import end
from sirene_shared.manifest import load_catalogue
from sirene_shared.messages import InstallState
from sirene_shared.settings import repository_folder
from tests.integration.api.roles import LESSAC, SIWIS, Downloader
from tests.support.nats import NatsServer
from tests.support.waiting import until


async def test_a_connection_that_was_closed_for_good_is_replaced(
    nats_server: NatsServer, downloader: Downloader, js: JetStreamContext
) -> None:
    catalog = Catalog(load_catalogue(repository_folder("manifests")))
    link = BusLink(nats_server.url, catalog)
    running = asyncio.create_task(link.run())
    try:
        await downloader.write(SIWIS, InstallState.INSTALLED)
        await until(lambda: catalog.status(SIWIS).state is InstallState.INSTALLED)
        old = link.client
        await (await js.key_value("sirene-models")).delete(SIWIS.key)
        await old.close()
        await downloader.write(LESSAC, InstallState.INSTALLED)
        await until(lambda: catalog.status(LESSAC).state is InstallState.INSTALLED)
        assert link.client is not old
        assert catalog.status(SIWIS).state is InstallState.ABSENT
        assert await link.is_alive()
    finally:
        await end([running])
    assert old.is_closed
