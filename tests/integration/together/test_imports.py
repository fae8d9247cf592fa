"""Models installed from files that somebody brings: over HTTP, with no hub there."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from sirene_shared.messages import InstallState
from tests.integration.api.serving import Api, known
from tests.integration.downloader.rig import PATIENT, REF, Rig, until_sent
from tests.integration.together.conftest import Serving
from tests.support.hub import Fault
from tests.support.waiting import until

BIG = random.Random(3).randbytes(9_000_001)
FILES = {"model.onnx": BIG, "deep/config.json": b'{"sample_rate": 22050}'}
MODEL = f"/api/models/{REF.id}"
OCTETS = {"content-type": "application/octet-stream"}


def manifest(rig: Rig, **more: object) -> None:
    """A model whose files no hub has, with their hashes."""
    rig.write_manifest(
        [
            {
                "path": path,
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                **more,
            }
            for path, content in FILES.items()
        ]
    )


@asynccontextmanager
async def running(rig: Rig, api_of_rig: Serving, **settings: object) -> AsyncIterator[Api]:
    async with rig.running(**settings), api_of_rig() as api:  # type: ignore[arg-type]
        yield api


async def send(api: Api, path: str, content: bytes) -> httpx.Response:
    return await api.http.put(f"{MODEL}/files/{path}", content=content, headers=OCTETS)


async def parts(api: Api) -> list[dict[str, Any]]:
    answer = await api.http.get("/api/downloads/parts")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["parts"]
    return found


async def test_files_that_are_brought_become_an_install(rig: Rig, api_of_rig: Serving) -> None:
    manifest(rig)
    async with running(rig, api_of_rig, hf_hub_offline=True) as api:
        for path, content in FILES.items():
            answer = await send(api, path, content)
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"id": REF.id, "path": path, "size_bytes": len(content)}
        (part,) = await parts(api)
        assert part["id"] == REF.id
        assert not part["in_use"]
        assert part["size_bytes"] >= len(BIG)
        answer = await api.http.post(f"{MODEL}/import")
        assert answer.status_code == 200, answer.text
        assert answer.json()["size_bytes"] == sum(map(len, FILES.values()))
        assert answer.json()["unverified"] == []
        await until(lambda: list(api.app.catalog.models(installed=True)))
        assert await parts(api) == []
    rig.check_installed(FILES)
    assert rig.hub.log == []


async def test_another_downloader_goes_on_with_what_one_was_brought(
    rig: Rig, api_of_rig: Serving
) -> None:
    manifest(rig)
    for path, content in FILES.items():
        async with running(rig, api_of_rig, replica=f"for-{len(content)}") as api:
            assert (await send(api, path, content)).status_code == 200
    async with running(rig, api_of_rig, replica="last") as api:
        assert (await api.http.post(f"{MODEL}/import")).status_code == 200
    rig.check_installed(FILES)


async def test_wrong_files_are_named_nothing_is_installed_and_what_came_can_be_removed(
    rig: Rig, api_of_rig: Serving
) -> None:
    manifest(rig)
    async with running(rig, api_of_rig) as api:
        await send(api, "model.onnx", BIG[:-1] + bytes([BIG[-1] ^ 1]))
        answer = await api.http.post(f"{MODEL}/import")
        assert answer.status_code == 422
        error = answer.json()["error"]
        assert error["code"] == "files_refused"
        assert error["param"] == "model.onnx"
        assert "'model.onnx': wrong hash" in error["message"]
        assert "'deep/config.json': missing" in error["message"]
        await known(api, REF, InstallState.ABSENT, api.app.catalog.status(REF).job)
        assert len(await parts(api)) == 1
        removed = await api.http.delete(f"/api/downloads/parts?model={REF.id}")
        assert removed.json()["total_bytes"] >= len(BIG)
        assert await parts(api) == []
    assert not rig.store.directory(REF).exists()
    assert rig.staged_bytes() == 0


async def test_a_wrong_file_is_brought_again_and_only_that_one(
    rig: Rig, api_of_rig: Serving
) -> None:
    manifest(rig)
    async with running(rig, api_of_rig) as api:
        await send(api, "model.onnx", bytes(len(BIG)))
        await send(api, "deep/config.json", FILES["deep/config.json"])
        assert (await api.http.post(f"{MODEL}/import")).status_code == 422
        await send(api, "model.onnx", BIG)
        assert (await api.http.post(f"{MODEL}/import")).status_code == 200
    rig.check_installed(FILES)


async def test_what_the_model_has_not_is_refused_with_an_answer_that_is_read(
    rig: Rig, api_of_rig: Serving
) -> None:
    manifest(rig)
    async with running(rig, api_of_rig) as api:
        for path, size_bytes in (
            ("model.onnx", len(BIG) - 1),
            ("model.onnx", len(BIG) + 1),
            ("other.onnx", 5),
            (".sirene.json", 5),
            ("deep%2F..%2Fmodel.onnx", len(BIG)),
            ("..%2F..%2Fescaped", 5),
        ):
            answer = await send(api, path, bytes(size_bytes))
            assert answer.status_code == 422, path
            assert answer.json()["error"]["code"] == "files_refused"
        assert await parts(api) == []


async def test_a_body_that_is_no_file_or_has_no_length_is_refused(
    rig: Rig, api_of_rig: Serving
) -> None:
    async def chunked() -> AsyncIterator[bytes]:
        yield BIG

    manifest(rig)
    async with running(rig, api_of_rig) as api:
        url = f"{MODEL}/files/model.onnx"
        as_json = await api.http.put(url, content=BIG, headers={"content-type": "application/json"})
        assert as_json.status_code == 415
        unknown = await api.http.put(url, content=chunked(), headers=OCTETS)
        assert unknown.status_code == 411
        assert unknown.json()["error"]["code"] == "length_required"
        foreign = {**OCTETS, "origin": "http://evil.example"}
        assert (await api.http.put(url, content=BIG, headers=foreign)).status_code == 403
        assert await parts(api) == []


async def test_a_pull_of_the_model_that_runs_refuses_what_is_brought(
    rig: Rig, api_of_rig: Serving
) -> None:
    rig.publish(FILES)
    rig.hub.fault("small/model.onnx", Fault(stall_at=1_000_000))
    async with running(rig, api_of_rig, limits=PATIENT) as api:
        await rig.pull()
        await until_sent(rig.hub, "small/model.onnx", 1_000_000)
        for answer in (
            await send(api, "model.onnx", BIG),
            await api.http.post(f"{MODEL}/import"),
        ):
            assert answer.status_code == 409
            assert answer.json()["error"]["code"] == "model_in_use"
            assert "a pull" in answer.json()["error"]["message"]
            assert "cancel" in answer.json()["error"]["hint"]
        await rig.cancel("job-1")
        await rig.reaches(InstallState.ABSENT)


async def test_a_pull_goes_on_with_what_was_brought(rig: Rig, api_of_rig: Serving) -> None:
    digest = hashlib.sha256(BIG).hexdigest()
    rig.publish({"model.onnx": BIG}, size=len(BIG), sha256=digest)
    async with running(rig, api_of_rig) as api:
        assert (await send(api, "model.onnx", BIG)).status_code == 200
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
    assert rig.hub.sent_bytes["small/model.onnx"] == 0
    rig.check_installed({"model.onnx": BIG})


async def test_a_sender_that_leaves_in_the_middle_leaves_nothing(
    rig: Rig, api_of_rig: Serving
) -> None:
    manifest(rig)
    async with running(rig, api_of_rig) as api:
        _, writer = await asyncio.open_connection("127.0.0.1", api.port)
        head = (
            f"PUT {MODEL}/files/model.onnx HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {len(BIG)}\r\n\r\n"
        )
        writer.write(head.encode() + BIG[:5_000_000])
        await writer.drain()
        await until(lambda: list(rig.store.staging.glob("*/*/incoming")))
        writer.transport.abort()
        await until(lambda: not list(rig.store.staging.glob("*/*/incoming")))
        answer = httpx.Response(409)
        while answer.status_code == 409:  # until the one before has let go
            answer = await send(api, "model.onnx", BIG)
        assert answer.status_code == 200
        await send(api, "deep/config.json", FILES["deep/config.json"])
        assert (await api.http.post(f"{MODEL}/import")).status_code == 200
    rig.check_installed(FILES)


async def test_one_file_of_a_model_at_a_time(rig: Rig, api_of_rig: Serving) -> None:
    manifest(rig)
    holding = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield BIG[:1_000_000]
        await holding.wait()
        yield BIG[1_000_000:]

    async with running(rig, api_of_rig) as api:
        length = {**OCTETS, "content-length": str(len(BIG))}
        first = asyncio.create_task(
            api.http.put(f"{MODEL}/files/model.onnx", content=slowly(), headers=length)
        )
        await until(lambda: list(rig.store.staging.glob("*/*/incoming")))
        second = await send(api, "deep/config.json", FILES["deep/config.json"])
        assert second.status_code == 409
        assert second.headers["retry-after"] == "1"
        holding.set()
        assert (await first).status_code == 200


async def test_what_does_not_fit_is_refused_before_it_is_written(
    rig: Rig, api_of_rig: Serving
) -> None:
    huge = 1 << 45
    rig.write_manifest([{"path": "model.onnx", "size": huge, "sha256": "ab" * 32}])
    async with running(rig, api_of_rig) as api:
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        head = (
            f"PUT {MODEL}/files/model.onnx HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {huge}\r\n\r\n"
        )
        writer.write(head.encode() + b"x")
        async with asyncio.timeout(20):
            answer = await reader.readuntil(b'"hint"')
        writer.close()
    assert answer.startswith(b"HTTP/1.1 507 ")
    assert b'"code":"disk_full"' in answer
    assert str(huge).encode()[:4] in answer
    assert rig.staged_bytes() < 10_000


async def test_files_whose_hash_nobody_tells_count_as_they_were_brought(
    rig: Rig, api_of_rig: Serving
) -> None:
    rig.write_manifest([{"path": path} for path in FILES])
    async with running(rig, api_of_rig, hf_hub_offline=True) as api:
        for path, content in FILES.items():
            assert (await send(api, path, content)).status_code == 200
        answer = await api.http.post(f"{MODEL}/import")
        assert answer.json()["unverified"] == list(FILES)
    rig.check_installed(FILES)


async def test_without_a_downloader_both_say_so(rig: Rig, api_of_rig: Serving) -> None:
    manifest(rig)
    async with api_of_rig() as api:
        for answer in (
            await send(api, "model.onnx", BIG),
            await api.http.post(f"{MODEL}/import"),
        ):
            assert answer.status_code == 503
            assert answer.json()["error"]["message"] == "no downloader answers"


async def test_an_install_that_is_there_stays_until_the_new_one_is_right(
    rig: Rig, api_of_rig: Serving
) -> None:
    manifest(rig)
    async with running(rig, api_of_rig, hf_hub_offline=True) as api:
        for path, content in FILES.items():
            await send(api, path, content)
        assert (await api.http.post(f"{MODEL}/import")).status_code == 200
        await send(api, "model.onnx", bytes(len(BIG)))
        assert (await api.http.post(f"{MODEL}/import")).status_code == 422
        assert (await api.http.get(MODEL)).json()["installed_bytes"] > 0
        await api.http.delete("/api/downloads/parts")
    rig.check_installed(FILES)


async def test_files_are_told_to_be_a_models(rig: Rig, api_of_rig: Serving) -> None:
    manifest(rig)
    async with api_of_rig() as api:
        files = [{"name": path, "size_bytes": len(content)} for path, content in FILES.items()]
        told = (await api.http.post("/api/models/identify", json={"files": files})).json()
        assert [model["id"] for model in told["models"]] == [REF.id]
        assert told["models"][0]["is_complete"]
        empty = await api.http.post("/api/models/identify", json={"files": []})
        assert empty.status_code == 400


async def test_a_downloader_that_is_killed_in_the_middle_is_told_at_once(
    rig: Rig, api_of_rig: Serving
) -> None:
    manifest(rig)
    holding = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield BIG[:5_000_000]
        await holding.wait()
        yield BIG[5_000_000:]

    length = {**OCTETS, "content-length": str(len(BIG))}
    async with api_of_rig() as api, rig.process() as process:
        sending = asyncio.create_task(
            api.http.put(f"{MODEL}/files/model.onnx", content=slowly(), headers=length)
        )
        await until(
            lambda: any(
                path.stat().st_size > 1_000_000 for path in rig.store.staging.glob("*/*/incoming")
            )
        )
        process.kill()
        await asyncio.to_thread(process.wait, 20)
        holding.set()
        answer = await sending
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "the downloader has gone"
    await rig.forget_lease()
    async with running(rig, api_of_rig) as api:
        (part,) = await parts(api)
        assert part["is_orphan"]
        for path, content in FILES.items():
            assert (await send(api, path, content)).status_code == 200
        assert (await api.http.post(f"{MODEL}/import")).status_code == 200
    rig.check_installed(FILES)
