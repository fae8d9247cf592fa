"""How full the volumes are, asked over HTTP of the downloaders that write to them."""

import shutil
from pathlib import Path
from typing import Any

from sirene_shared.messages import InstallState
from sirene_shared.store import KEPT_NAME
from tests.integration.downloader.rig import PATIENT, REF, Rig, until_sent
from tests.integration.together.conftest import Serving
from tests.support.hub import Fault

FILES = {"model.onnx": b"m" * 300_000, "config.json": b"{}"}
SIZE = sum(map(len, FILES.values()))


async def volumes(start: Serving) -> list[dict[str, Any]]:
    async with start() as api:
        answer = await api.http.get("/api/storage")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["volumes"]
        return found


async def test_it_tells_what_the_volume_has_and_what_models_take(
    rig: Rig, api_of_rig: Serving
) -> None:
    rig.publish(FILES)
    async with rig.running():
        (empty,) = await volumes(api_of_rig)
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        (full,) = await volumes(api_of_rig)
    assert empty["installed_bytes"] == 0
    record = (rig.store.directory(REF) / ".sirene.json").stat().st_size
    assert full["installed_bytes"] == SIZE + record
    disk = shutil.disk_usage(rig.root)
    assert full["total_bytes"] == disk.total
    assert 0 < full["free_bytes"] <= disk.total
    assert full["volume"] == empty["volume"]


async def test_what_a_pull_has_and_will_take_is_told_apart(rig: Rig, api_of_rig: Serving) -> None:
    rig.publish({"model.onnx": b"m" * 30_000_000})
    rig.hub.fault("small/model.onnx", Fault(stall_at=8_000_000))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await until_sent(rig.hub, "small/model.onnx", 8_000_000)
        await rig.has_received(4_000_000)
        (seen,) = await volumes(api_of_rig)
        await rig.cancel("job-1")
        await rig.reaches(InstallState.ABSENT)
    assert seen["parts_bytes"] >= 4_000_000
    assert seen["parts_bytes"] + seen["reserved_bytes"] >= 30_000_000
    assert seen["installed_bytes"] == 0


async def test_downloaders_of_one_volume_are_told_together_and_of_two_apart(
    rig: Rig, api_of_rig: Serving, tmp_path: Path
) -> None:
    rig.publish(FILES)
    other = tmp_path / "other"
    other.mkdir()
    async with (
        rig.running(replica="one"),
        rig.running(replica="two"),
        rig.running(replica="three", models_path=other),
    ):
        found = await volumes(api_of_rig)
    writers = sorted([name.rpartition("-")[0] for name in each["downloaders"]] for each in found)
    assert writers == [["one", "two"], ["three"]] or writers == [["three"], ["one", "two"]]
    assert (rig.root / KEPT_NAME).stat().st_mode & 0o777 == 0o700


async def test_without_a_downloader_it_says_so(api_of_rig: Serving) -> None:
    async with api_of_rig() as api:
        answer = await api.http.get("/api/storage")
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "no downloader answers"
    assert answer.headers["retry-after"]


async def test_what_downloaders_keep_on_the_volume_is_taken_for_no_model(
    rig: Rig, api_of_rig: Serving
) -> None:
    rig.publish(FILES)
    async with rig.running():
        await volumes(api_of_rig)
    async with rig.running(), api_of_rig() as api:
        listed = (await api.http.get("/api/models")).json()["models"]
    assert [model["state"] for model in listed] == ["absent"]
    assert list(rig.store.directories()) == []
