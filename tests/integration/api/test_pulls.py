"""Pulls over HTTP: asked for, joined, and followed to the end."""

import pytest
from nats.aio.client import Client

from sirene_shared.errors import HashMismatch, PullCancelled, VolumeUnwritable
from sirene_shared.messages import InstallState
from tests.integration.api.roles import SIWIS, Downloader, downloading
from tests.integration.api.serving import Api, known
from tests.integration.api.sse import stream

PULL = f"/api/models/{SIWIS.id}/pull"
BROWSER = {"user-agent": "Mozilla/5.0"}


async def test_a_pull_is_queued_at_once_and_a_second_one_joins_it(
    api: Api, downloader: Downloader
) -> None:
    first = await api.http.post(PULL)
    second = await api.http.post(PULL)
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json() == second.json()
    assert first.json()["state"] == "queued"
    command, _ = await downloader.take()
    assert (command.ref, command.job) == (SIWIS, first.json()["job"])


async def test_the_variant_may_stand_in_the_query(api: Api, downloader: Downloader) -> None:
    answer = await api.http.post("/api/models/piper/pull", params={"variant": SIWIS.variant})
    assert answer.json()["id"] == SIWIS.id
    assert (await api.http.post("/api/models/piper/pull?variant=nope")).status_code == 404


async def test_a_pull_of_an_installed_model_starts_nothing(
    api: Api, downloader: Downloader
) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED, job="old", size_bytes=7)
    await known(api, SIWIS, InstallState.INSTALLED, "old")
    answer = await api.http.post(PULL)
    assert answer.status_code == 200
    assert answer.json() == {"id": SIWIS.id, "job": "old", "state": "installed"}

    async with stream(api, PULL) as events:
        (complete,) = await events.all()
    assert complete.name == "complete"
    assert complete.data["size_bytes"] == 7

    failure = VolumeUnwritable("it could not be deleted").failure()
    await downloader.write(SIWIS, InstallState.INSTALLED, job="new", size_bytes=7, error=failure)
    await known(api, SIWIS, InstallState.INSTALLED, "new")
    async with stream(api, PULL) as events:
        assert [event.name for event in await events.all()] == ["complete"]


async def test_a_failed_pull_can_be_asked_for_again(api: Api, downloader: Downloader) -> None:
    await downloader.write(SIWIS, InstallState.FAILED, job="old")
    await known(api, SIWIS, InstallState.FAILED, "old")
    answer = await api.http.post(PULL)
    assert answer.status_code == 202
    assert answer.json()["job"] != "old"


async def test_a_pull_is_followed_from_queued_to_complete(api: Api, downloader: Downloader) -> None:
    async with stream(api, PULL) as events:
        assert events.response.headers["content-type"].startswith("text/event-stream")
        assert events.response.headers["cache-control"] == "no-cache, no-transform"
        queued = await events.next()
        command, message = await downloader.take()
        job = command.job
        assert queued is not None
        assert (queued.name, queued.id) == ("progress", f"{job}/0")
        assert (queued.data["state"], queued.data["phase"]) == ("queued", None)

        await downloader.write(
            SIWIS, InstallState.DOWNLOADING, job=job, seq=1, transfer=downloading(100)
        )
        written = await events.next()
        assert written is not None
        assert (written.id, written.data["percent"]) == (f"{job}/1", 10.0)

        await downloader.tick(SIWIS, job, 2, downloading(500))
        ticked = await events.next()
        assert ticked is not None
        assert (ticked.id, ticked.data["done_bytes"]) == (f"{job}/2", 500)
        assert ticked.data["file"] == "model.onnx"

        await downloader.tick(SIWIS, job, 1, downloading(1))  # late
        await downloader.tick(SIWIS, "other", 9, downloading(2))  # another job's
        await downloader.write(SIWIS, InstallState.INSTALLED, job=job, seq=3, size_bytes=1000)
        await message.ack()
        rest = await events.all()
    assert [(event.name, event.id) for event in rest] == [("complete", f"{job}/3")]
    assert rest[0].data == {"id": SIWIS.id, "job": job, "state": "installed", "size_bytes": 1000}


async def test_a_state_that_ticks_have_overtaken_does_not_turn_progress_back(
    api: Api, downloader: Downloader
) -> None:
    async with stream(api, PULL) as events:
        await events.next()
        command, message = await downloader.take()
        job, ref = command.job, command.ref
        await downloader.write(
            ref, InstallState.DOWNLOADING, job=job, seq=1, transfer=downloading(1)
        )
        await events.next()
        await downloader.tick(ref, job, 5, downloading(500))
        await events.next()
        await downloader.write(
            ref, InstallState.VERIFYING, job=job, seq=4, transfer=downloading(400)
        )
        verifying = await events.next()
        assert verifying is not None
        assert (verifying.id, verifying.data["state"]) == (f"{job}/5", "verifying")
        assert verifying.data["done_bytes"] == 500
        await message.ack()


@pytest.mark.parametrize(
    ("state", "failure", "code"),
    [
        (InstallState.FAILED, HashMismatch("the hash differs", hint="Again."), "hash_mismatch"),
        (InstallState.ABSENT, PullCancelled("it was cancelled"), "pull_cancelled"),
        (InstallState.ABSENT, None, "pull_cancelled"),
        (InstallState.INSTALLED, HashMismatch("the older install stays"), "hash_mismatch"),
    ],
)
async def test_a_pull_that_ends_without_a_model_ends_with_an_error(
    api: Api, downloader: Downloader, state: InstallState, failure: Exception, code: str
) -> None:
    async with stream(api, PULL) as events:
        await events.next()
        command, message = await downloader.take()
        error = failure.failure() if failure else None
        await downloader.write(SIWIS, state, job=command.job, seq=2, error=error)
        await message.ack()
        (ended,) = await events.all()
    assert (ended.name, ended.data["state"]) == ("error", state.value)
    assert ended.data["error"]["code"] == code


async def test_a_stream_joins_the_pull_that_runs(api: Api, downloader: Downloader) -> None:
    job = (await api.http.post(PULL)).json()["job"]
    async with stream(api, PULL) as first, stream(api, PULL) as second:
        seen = [await first.next(), await second.next()]
        _, message = await downloader.take()
        await downloader.write(SIWIS, InstallState.INSTALLED, job=job, seq=1)
        await message.ack()
        seen += await first.all() + await second.all()
    assert [event.name for event in seen if event] == ["progress"] * 2 + ["complete"] * 2
    assert {event.data["job"] for event in seen if event} == {job}


async def test_an_event_source_that_comes_back_starts_nothing(
    api: Api, downloader: Downloader
) -> None:
    await downloader.write(SIWIS, InstallState.FAILED, job="old")
    await known(api, SIWIS, InstallState.FAILED, "old")
    for last in ("old/7", "never-heard-of/1", "", "\\", "/0"):
        answer = await api.http.get(PULL, headers={"last-event-id": last})
        assert answer.status_code == 204, last
        assert answer.content == b""
    assert api.app.catalog.status(SIWIS).job == "old"


async def test_an_event_source_that_comes_back_in_time_goes_on(
    api: Api, downloader: Downloader
) -> None:
    job = (await api.http.post(PULL)).json()["job"]
    async with stream(api, PULL, **{"last-event-id": f"{job}/0"}) as events:
        assert (await events.next()).data["state"] == "queued"
    await downloader.write(
        SIWIS, InstallState.DOWNLOADING, job=job, seq=3, transfer=downloading(10)
    )
    await known(api, SIWIS, InstallState.DOWNLOADING, job)
    async with stream(api, PULL, **{"last-event-id": f"{job}/1"}) as events:
        assert (await events.next()).id == f"{job}/3"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        BROWSER,
        BROWSER | {"referer": "http://evil.example/page"},
        BROWSER | {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_page_of_another_site_cannot_start_a_pull(
    api: Api, nc: Client, headers: dict[str, str]
) -> None:
    answer = await api.http.get(PULL, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "cross_site_request"
    assert (await nc.jetstream().stream_info("SIRENE_COMMANDS")).state.messages == 0


async def test_our_own_page_can_start_a_pull(api: Api, nc: Client) -> None:
    for headers in (
        BROWSER | {"sec-fetch-site": "same-origin"},
        BROWSER | {"referer": f"{api.url}/"},
        BROWSER | {"origin": api.url},
    ):
        async with stream(api, PULL, **headers) as events:
            assert events.response.status_code == 200
    assert (await nc.jetstream().stream_info("SIRENE_COMMANDS")).state.messages == 1
