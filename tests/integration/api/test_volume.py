"""Preflights, verifications, repairs and parts over HTTP, with the downloader played by hand."""

from nats.aio.client import Client
from nats.aio.msg import Msg

from sirene_shared import bus
from sirene_shared.errors import ModelNotInstalled
from sirene_shared.inquiries import (
    CheckedFile,
    FileState,
    LeftPart,
    PartsReply,
    PartsRequest,
    Preflight,
    TokenVerdict,
    Verification,
)
from sirene_shared.messages import InstallState
from sirene_shared.subjects import PARTS, PREFLIGHT, VERIFY
from tests.integration.api.roles import SIWIS, Downloader
from tests.integration.api.serving import Api, known

MODEL = f"/api/models/{SIWIS.id}"


async def test_a_dry_run_tells_what_a_pull_would_meet_and_queues_nothing(
    api: Api, nc: Client, downloader: Downloader
) -> None:
    told = Preflight(total_bytes=9, missing_bytes=4, free_bytes=7, fits=True, token=TokenVerdict.OK)

    async def answer(message: Msg) -> None:
        await message.respond(told.encode())

    subscription = await nc.subscribe(PREFLIGHT.all, cb=answer)
    await bus.settle(nc)
    got = await api.http.post(f"{MODEL}/pull?dry_run=true")
    await subscription.unsubscribe()
    await bus.settle(nc)
    assert got.status_code == 200
    assert (got.json()["missing_bytes"], got.json()["token"]) == (4, "ok")
    assert got.json()["fits_memory"] is None
    assert (await api.http.post(f"{MODEL}/cancel")).status_code == 404


async def test_the_licence_is_shown_before_anything_is_pulled(api: Api, nc: Client) -> None:
    async def answer(message: Msg) -> None:
        await message.respond(Preflight(total_bytes=9, missing_bytes=9, free_bytes=99).encode())

    subscription = await nc.subscribe(PREFLIGHT.all, cb=answer)
    await bus.settle(nc)
    f5 = (await api.http.get("/api/models/f5tts")).json()
    assert (f5["state"], f5["license"]) == ("absent", "CC-BY-NC-4.0")
    dry = (await api.http.post("/api/models/f5tts/pull?dry_run=true")).json()
    assert dry["license"] == "CC-BY-NC-4.0"
    await subscription.unsubscribe()
    listed = (await api.http.get("/api/models")).json()["models"]
    assert all(each["license"] for each in listed)


async def test_without_a_downloader_nobody_answers(api: Api) -> None:
    for answer in (
        await api.http.post(f"{MODEL}/pull?dry_run=true"),
        await api.http.post(f"{MODEL}/verify"),
        await api.http.get("/api/downloads/parts"),
    ):
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "bus_unavailable"


async def test_a_verification_is_followed_to_its_last_message(api: Api, nc: Client) -> None:
    file = CheckedFile(path="model.onnx", size=3, state=FileState.WRONG_HASH)
    answers = [
        [Verification(total_bytes=3), Verification(files=(file,), checked_bytes=3, is_over=True)],
        [Verification(error=ModelNotInstalled("it is not there").failure())],
    ]

    async def answer(message: Msg) -> None:
        for one in answers.pop(0):
            await message.respond(one.encode())

    subscription = await nc.subscribe(VERIFY.all, cb=answer)
    await bus.settle(nc)
    got = await api.http.post(f"{MODEL}/verify")
    assert got.json()["ok"] is False
    assert got.json()["files"][0]["state"] == "wrong_hash"
    assert (await api.http.post(f"{MODEL}/verify")).status_code == 404
    await subscription.unsubscribe()
    await bus.settle(nc)


async def test_a_repair_is_a_pull_also_of_what_is_installed(
    api: Api, downloader: Downloader
) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED, job="old", size_bytes=7)
    await known(api, SIWIS, InstallState.INSTALLED, "old")
    answer = await api.http.post(f"{MODEL}/repair")
    assert answer.status_code == 202
    command, message = await downloader.take()
    assert (command.repair, command.job) == (True, answer.json()["job"])
    await message.ack()


async def test_parts_are_listed_and_deleted(api: Api, nc: Client) -> None:
    asked: list[PartsRequest] = []
    part = LeftPart(
        model=SIWIS.model,
        variant=SIWIS.variant,
        writer="box-1",
        size_bytes=5,
        changed_at=1.0,
        in_use=False,
        is_orphan=True,
    )

    async def answer(message: Msg) -> None:
        asked.append(PartsRequest.decode(message.data))
        await message.respond(PartsReply(parts=(part,)).encode())

    subscription = await nc.subscribe(PARTS.all, cb=answer)
    await bus.settle(nc)
    listed = await api.http.get("/api/downloads/parts")
    removed = await api.http.delete("/api/downloads/parts", params={"model": SIWIS.id})
    await subscription.unsubscribe()
    await bus.settle(nc)
    assert listed.json()["total_bytes"] == removed.json()["total_bytes"] == 5
    assert listed.json()["parts"][0]["id"] == SIWIS.id
    assert [(one.delete, one.model) for one in asked] == [(False, ""), (True, SIWIS.key)]
