"""Pulls that are cancelled, and models that are deleted."""

import asyncio

import pytest
from nats.aio.client import Client

from sirene_shared import bus
from sirene_shared.errors import HubUnavailable, ModelInUse, VolumeUnwritable
from sirene_shared.inference_requests import UnloadReply
from sirene_shared.messages import Control, InstallState
from sirene_shared.subjects import CONTROL, DELETE_CONSUMER, PULL_CONSUMER
from tests.integration.api.roles import SIWIS, Downloader, Replica, downloading
from tests.integration.api.serving import Api, known

PULL = f"/api/models/{SIWIS.id}/pull"


async def test_a_cancel_reaches_whoever_runs_the_pull(
    api: Api, downloader: Downloader, nc: Client
) -> None:
    orders = await nc.subscribe(CONTROL.all)
    await bus.settle(nc)
    job = (await api.http.post(PULL)).json()["job"]
    answer = await api.http.post(f"/api/models/{SIWIS.id}/cancel?keep=true")
    assert answer.status_code == 202
    assert answer.json() == {"id": SIWIS.id, "job": job, "state": "queued"}
    message = await orders.next_msg(timeout=5)
    assert message.subject == f"{CONTROL.prefix}.{job}"
    order = Control.decode(message.data)
    assert (order.job, order.action, order.keep) == (job, "cancel", True)

    await downloader.write(
        SIWIS, InstallState.DOWNLOADING, job="other", seq=1, transfer=downloading(1)
    )
    await known(api, SIWIS, InstallState.DOWNLOADING, "other")
    assert (await api.http.post(f"/api/models/{SIWIS.id}/cancel")).json()["job"] == "other"


async def test_cancelling_nothing_is_404(api: Api, downloader: Downloader) -> None:
    assert (await api.http.post(f"/api/models/{SIWIS.id}/cancel")).status_code == 404
    await downloader.write(SIWIS, InstallState.INSTALLED, job="old")
    await known(api, SIWIS, InstallState.INSTALLED, "old")
    answer = await api.http.post(f"/api/models/{SIWIS.id}/cancel")
    assert answer.json()["error"]["code"] == "pull_not_found"


async def test_a_cancel_finds_a_pull_whose_first_word_comes_at_the_same_moment(
    api: Api, downloader: Downloader
) -> None:
    for _ in range(20):
        job = (await api.http.post(PULL)).json()["job"]
        answer, _ = await asyncio.gather(
            api.http.post(f"/api/models/{SIWIS.id}/cancel"),
            downloader.write(SIWIS, InstallState.QUEUED, job=job),
        )
        assert answer.status_code == 202, answer.text
        command, message = await downloader.take(PULL_CONSUMER)
        await downloader.write(SIWIS, InstallState.ABSENT, job=command.job, seq=1)
        await message.ack_sync()
        await known(api, SIWIS, InstallState.ABSENT, command.job)


async def test_a_delete_frees_the_memory_first_and_tells_what_it_freed(
    api: Api, downloader: Downloader, replica: Replica
) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED, size_bytes=63)
    await known(api, SIWIS, InstallState.INSTALLED)
    deleting = asyncio.create_task(api.http.delete(f"/api/models/{SIWIS.id}"))
    command, message = await downloader.take(DELETE_CONSUMER)
    assert command.ref == SIWIS
    assert [request.ref for request in replica.unloads] == [SIWIS]
    assert not deleting.done()
    await downloader.write(SIWIS, InstallState.ABSENT, job=command.job, freed_bytes=60)
    await message.ack()
    answer = await deleting
    assert answer.status_code == 200
    assert answer.json() == {"id": SIWIS.id, "freed_bytes": 60}


async def test_a_model_that_still_speaks_is_not_deleted(
    api: Api, downloader: Downloader, replica: Replica, nc: Client
) -> None:
    in_use = ModelInUse("it still speaks", hint="Try again.").failure()
    replica.unload_reply = UnloadReply(replica=replica.name, was_loaded=True, error=in_use)
    await downloader.write(SIWIS, InstallState.INSTALLED)
    await known(api, SIWIS, InstallState.INSTALLED)
    answer = await api.http.delete(f"/api/models/{SIWIS.id}")
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "model_in_use"
    assert (await nc.jetstream().stream_info("SIRENE_COMMANDS")).state.messages == 0


@pytest.mark.parametrize("state", [InstallState.INSTALLED, InstallState.FAILED])
async def test_a_delete_that_fails_on_the_volume_says_so(
    api: Api, downloader: Downloader, state: InstallState
) -> None:
    await downloader.write(SIWIS, state, job="pull")
    await known(api, SIWIS, state, "pull")
    deleting = asyncio.create_task(api.http.delete(f"/api/models/{SIWIS.id}"))
    command, message = await downloader.take(DELETE_CONSUMER)
    failure = VolumeUnwritable("the volume is read-only").failure()
    await downloader.write(SIWIS, state, job=command.job, error=failure)
    await message.ack()
    assert (await deleting).json()["error"]["code"] == "volume_unwritable"


async def test_a_pull_that_failed_is_forgotten_once_it_is_deleted(
    api: Api, downloader: Downloader
) -> None:
    failure = HubUnavailable("the hub is away").failure()
    await downloader.write(SIWIS, InstallState.FAILED, job="pull", error=failure)
    await known(api, SIWIS, InstallState.FAILED, "pull")
    deleting = asyncio.create_task(api.http.delete(f"/api/models/{SIWIS.id}"))
    command, message = await downloader.take(DELETE_CONSUMER)
    assert not deleting.done()
    await downloader.write(SIWIS, InstallState.ABSENT, job=command.job)
    await message.ack()
    assert (await deleting).json() == {"id": SIWIS.id, "freed_bytes": 0}


async def test_what_is_not_installed_cannot_be_deleted(api: Api) -> None:
    answer = await api.http.delete(f"/api/models/{SIWIS.id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_installed"
