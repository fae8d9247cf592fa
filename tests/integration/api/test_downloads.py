"""The queue over HTTP: pausing, resuming, cancelling, its order, and limits."""

from nats.js import JetStreamContext

from sirene_shared import bus
from sirene_shared.messages import InstallState, PullLimits, Wish
from sirene_shared.names import ModelRef
from sirene_shared.subjects import DOWNLOADS_KEY, SETTINGS, WISHES
from tests.integration.api.roles import LESSAC, SIWIS, Downloader, downloading
from tests.integration.api.serving import Api, known
from tests.integration.api.sse import stream

MODEL = f"/api/models/{SIWIS.id}"


async def wish(js: JetStreamContext, ref: ModelRef) -> Wish:
    entry = await (await bus.open_bucket(js, WISHES)).get(ref.key)
    return Wish.decode(entry.value or b"")


async def pull(api: Api, ref: ModelRef, **query: str) -> str:
    answer = await api.http.post(f"/api/models/{ref.id}/pull", params=query)
    return str(answer.json()["job"])


async def test_pause_and_resume_are_kept_for_the_downloader(api: Api, js: JetStreamContext) -> None:
    job = await pull(api, SIWIS)
    answer = await api.http.post(f"{MODEL}/pause")
    assert (answer.status_code, answer.json()["job"]) == (202, job)
    assert (await wish(js, SIWIS)).action == "pause"
    paused = (await api.http.get("/api/downloads")).json()["paused"]
    assert [(one["id"], one["state"]) for one in paused] == [(SIWIS.id, "paused")]
    assert (await api.http.post(f"{MODEL}/resume", params={"now": "true"})).status_code == 202
    wanted = await wish(js, SIWIS)
    assert (wanted.job, wanted.action, wanted.now) == (job, "run", True)


async def test_a_pull_asked_for_again_goes_on_and_a_stream_of_it_only_watches(
    api: Api, downloader: Downloader, js: JetStreamContext
) -> None:
    job = await pull(api, SIWIS)
    await api.http.post(f"{MODEL}/pause")
    await downloader.write(
        *(SIWIS, InstallState.PAUSED),
        **{"job": job, "seq": 5, "reason": "paused", "transfer": downloading(400)},
    )
    await known(api, SIWIS, InstallState.PAUSED, job)
    async with stream(api, f"{MODEL}/pull") as events:
        told = await events.next()
        assert told is not None
        assert (told.name, told.data["state"], told.data["reason"]) == (
            *("progress", "paused", "paused"),
        )
        assert told.data["done_bytes"] == 400
        assert (await wish(js, SIWIS)).action == "pause"
        assert await pull(api, SIWIS) == job
        assert (await wish(js, SIWIS)).action == "run"
        await downloader.write(
            *(SIWIS, InstallState.DOWNLOADING),
            **{"job": job, "seq": 106, "transfer": downloading(500)},
        )
        told = await events.next()
        assert told is not None
        assert (told.data["state"], told.data["done_bytes"]) == ("downloading", 500)


async def test_a_cancel_is_kept_too(api: Api, js: JetStreamContext) -> None:
    job = await pull(api, SIWIS)
    assert (await api.http.post(f"{MODEL}/cancel?keep=true")).status_code == 202
    wanted = await wish(js, SIWIS)
    assert (wanted.job, wanted.action, wanted.keep) == (job, "cancel", True)


async def test_what_nobody_pulls_cannot_be_paused_resumed_or_first(api: Api) -> None:
    for action in ("pause", "resume", "first", "cancel"):
        answer = await api.http.post(f"{MODEL}/{action}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "pull_not_found")


async def test_the_queue_is_listed_in_the_order_it_was_given(
    api: Api, downloader: Downloader
) -> None:
    job = await pull(api, SIWIS, now="true")
    await pull(api, LESSAC)
    await downloader.write(
        *(SIWIS, InstallState.QUEUED), **{"job": job, "seq": 2, "reason": "out of hours"}
    )
    await known(api, SIWIS, InstallState.QUEUED, job)
    queued = (await api.http.get("/api/downloads")).json()["queued"]
    assert [one["id"] for one in queued] == [SIWIS.id, LESSAC.id]
    assert (queued[0]["reason"], queued[0]["now"]) == ("out of hours", True)
    first = (await api.http.post(f"/api/models/{LESSAC.id}/first")).json()
    assert [one["id"] for one in first["queued"]] == [LESSAC.id, SIWIS.id]
    body = {"models": [SIWIS.id, LESSAC.id]}
    ordered = (await api.http.post("/api/downloads/order", json=body)).json()
    assert [one["id"] for one in ordered["queued"]] == [SIWIS.id, LESSAC.id]
    twice = await api.http.post("/api/downloads/order", json={"models": [SIWIS.id] * 2})
    assert (twice.status_code, twice.json()["error"]["code"]) == (400, "invalid_request")


async def test_all_pulls_are_paused_resumed_and_cancelled_together(
    api: Api, js: JetStreamContext
) -> None:
    for ref in (SIWIS, LESSAC):
        await pull(api, ref)
    for action, wanted in (("pause", "pause"), ("resume", "run"), ("cancel", "cancel")):
        answer = await api.http.post(f"/api/downloads/{action}")
        assert answer.status_code == 202
        assert [one["id"] for one in answer.json()["pulls"]] == [SIWIS.id, LESSAC.id]
        assert [(await wish(js, ref)).action for ref in (SIWIS, LESSAC)] == [wanted] * 2
    # They are as good as gone, and are not cancelled twice.
    assert (await api.http.post("/api/downloads/cancel")).json() == {"pulls": []}


async def test_limits_change_one_by_one_and_return_to_the_environments(
    api: Api, js: JetStreamContext
) -> None:
    unset = {"pulls": None, "max_rate": None, "connections": None}
    assert (await api.http.get("/api/downloads/limits")).json() == unset
    await api.http.patch("/api/downloads/limits", json={"pulls": 3, "max_rate": 5_000_000})
    changed = await api.http.patch("/api/downloads/limits", json={"connections": 8, "pulls": None})
    assert changed.json() == {"pulls": None, "max_rate": 5_000_000, "connections": 8}
    entry = await (await bus.open_bucket(js, SETTINGS)).get(DOWNLOADS_KEY)
    assert PullLimits.decode(entry.value or b"") == PullLimits(max_rate=5_000_000, connections=8)
    for wrong in ({"pulls": 0}, {"connections": 1000}, {"max_rate": -1}, {"pulls": "many"}):
        answer = await api.http.patch("/api/downloads/limits", json=wrong)
        assert answer.status_code == 400, wrong
    assert (await api.http.get("/api/downloads/limits")).json() == changed.json()
