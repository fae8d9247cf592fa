"""The stream of everything that happens."""

import asyncio
import socket
import struct
from pathlib import Path

import nats
from nats.js import JetStreamContext

from sirene_shared.messages import InstallState
from tests.integration.api.roles import SIWIS, Downloader, Replica, downloading, loaded
from tests.integration.api.serving import NO_BUS, Api, serving
from tests.integration.api.sse import stream
from tests.support.nats import NatsServer
from tests.support.waiting import until

EVENTS = "/api/models/events"
RESETS = 300


async def test_the_snapshot_comes_first_and_every_change_after_it(
    api: Api, downloader: Downloader, replica: Replica
) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED, size_bytes=7)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    await until(lambda: api.app.catalog.replicas)
    async with stream(api, EVENTS) as events:
        snapshot = await events.next()
        assert snapshot is not None
        assert snapshot.name == "snapshot"
        states = {model["id"]: model["state"] for model in snapshot.data["models"]}
        assert states.pop(SIWIS.id) == "installed"
        assert set(states.values()) == {"absent"}
        assert [one["replica"] for one in snapshot.data["replicas"]] == ["replica-1"]

        await downloader.write(
            SIWIS, InstallState.DOWNLOADING, job="j1", seq=1, transfer=downloading(500)
        )
        model = await events.next()
        assert model is not None
        assert (model.name, model.data["transfer"]["percent"]) == ("model", 50.0)
        assert int(model.id) > int(snapshot.id)

        await downloader.tick(SIWIS, "j1", 2, downloading(600))
        ticked = await events.next()
        assert ticked is not None
        assert ticked.data["transfer"]["percent"] == 60.0

        await replica.report(loaded(SIWIS))
        both = {event.name: event.data for event in (await events.next(), await events.next())}
        assert both["replica"]["models"][0]["id"] == SIWIS.id
        assert both["model"]["loaded"][0]["replica"] == "replica-1"

        await replica.vanish()
        both = {event.name: event.data for event in (await events.next(), await events.next())}
        assert both["replica"] == {"replica": "replica-1", "gone": True}
        assert both["model"]["loaded"] == []


async def test_whoever_comes_back_gets_a_snapshot_again(api: Api) -> None:
    for last in ("1", "999999", "nonsense"):
        async with stream(api, EVENTS, **{"last-event-id": last}) as events:
            assert (await events.next()).name == "snapshot"


async def test_a_quiet_stream_has_a_heartbeat(
    nats_server: NatsServer, js: JetStreamContext
) -> None:
    async with (
        serving(nats_server.url, heartbeat_s=0.05) as api,
        stream(api, EVENTS) as events,
    ):
        assert (await events.next()).name == "snapshot"
        assert (await events.block()).name == ""
        assert (await events.block()).name == ""


async def test_a_stream_opens_without_a_bus_and_ends_when_the_server_does() -> None:
    async with serving(NO_BUS, heartbeat_s=0.05) as api, stream(api, EVENTS) as events:
        assert events.response.status_code == 200
        assert (await events.block()).name == ""
        api.app.hub.end_all()
        assert await events.next() is None


async def test_a_stream_opened_before_the_bus_gets_its_snapshot_as_soon_as_there_is_one(
    tmp_path: Path,
) -> None:
    server = NatsServer(tmp_path).start()
    server.kill()
    try:
        async with serving(server.url) as api, stream(api, EVENTS) as events:
            server.start()
            # Long before the heartbeat.
            assert (await events.next()).name == "snapshot"
    finally:
        server.stop()


async def test_a_foreign_page_cannot_listen(api: Api) -> None:
    answer = await api.http.get(EVENTS, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


async def test_clients_that_reset_leave_nothing_behind(api: Api) -> None:
    async def reset(path: str, *, after_start: bool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{api.port}\r\n\r\n".encode())
        await writer.drain()
        if after_start:
            await reader.readuntil(b"retry: 3000")
        plain = writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def others() -> set["asyncio.Task[object]"]:
        """All but the bus's own, which come and go when its buckets are watched anew."""
        return {
            task
            for task in asyncio.all_tasks()
            if (code := getattr(task.get_coro(), "cr_code", None)) is None
            or Path(nats.__file__).parent not in Path(code.co_filename).parents
        }

    assert (await api.http.get("/api/models")).status_code == 200
    before = others()
    for count in range(RESETS):
        path = EVENTS if count % 3 else f"/api/models/{SIWIS.id}/pull"
        await reset(path, after_start=count % 2 == 0)
    async with stream(api, EVENTS) as events:
        await events.next()
    await until(lambda: len(api.app.hub) == 0)
    await until(lambda: others() <= before)
