"""The volume is the truth, whoever changes it."""

import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sirene_downloader.lease import Lease
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from sirene_shared.subjects import COMMANDS
from tests.integration.downloader.rig import REF, Rig

FILES = {"model.onnx": random.Random(12).randbytes(1_500_000), "deep/config.json": b"{}"}


def put_by_hand(rig: Rig, files: dict[str, bytes] = FILES) -> Path:
    folder = rig.store.directory(REF)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@pytest.fixture
async def downloader(rig: Rig) -> AsyncIterator[None]:
    rig.publish(FILES)
    async with rig.running():
        yield


@pytest.mark.usefixtures("downloader")
async def test_a_directory_put_there_by_hand_is_adopted_and_fetches_nothing(rig: Rig) -> None:
    put_by_hand(rig)
    status = await rig.reaches(InstallState.INSTALLED, job="", within_s=8)
    assert status.size_bytes == sum(map(len, FILES.values()))
    assert not rig.hub.requests("GET", "small/model.onnx")
    rig.check_installed(FILES)


@pytest.mark.usefixtures("downloader")
async def test_a_wrong_one_is_damaged_until_it_is_right(rig: Rig) -> None:
    folder = put_by_hand(rig, FILES | {"model.onnx": bytes(1_500_000)})
    status = await rig.reaches(InstallState.DAMAGED, job="", within_s=8)
    assert rig.store.record(REF) is None
    assert status.error is not None
    (folder / "model.onnx").write_bytes(FILES["model.onnx"])
    await rig.reaches(InstallState.INSTALLED, job="", within_s=8)
    rig.check_installed(FILES)


@pytest.mark.usefixtures("downloader")
async def test_what_is_altered_or_removed_is_told_within_seconds(rig: Rig) -> None:
    await rig.pull()
    await rig.reaches(InstallState.INSTALLED)
    await rig.answered()
    file = rig.store.directory(REF) / "model.onnx"
    file.write_bytes(bytes(1_500_000))
    status = await rig.reaches(InstallState.DAMAGED, job="", within_s=8)
    assert status.error is not None
    assert "wrong hash" in status.error.message
    file.write_bytes(FILES["model.onnx"])
    await rig.reaches(InstallState.INSTALLED, job="", within_s=8)
    shutil.rmtree(rig.store.directory(REF))
    await rig.reaches(InstallState.ABSENT, job="", within_s=8)


async def test_what_is_altered_while_somebody_works_on_it_is_told_once_they_are_done(
    rig: Rig,
) -> None:
    other = ModelRef("zither", "small")
    for ref in (REF, other):
        rig.publish(FILES, ref=ref)
    async with rig.running():
        for ref in (REF, other):
            await rig.pull(ref)
            await rig.reaches(InstallState.INSTALLED, ref=ref)
        await rig.answered()
        somebody = Lease(rig.js, REF, "somebody")
        assert await somebody.take()
        (rig.store.directory(REF) / "deep/config.json").write_bytes(b"[]")
        # Once what was done later to another is told, this was seen too, and left for now.
        elsewhere = rig.store.directory(other) / "deep/config.json"
        for content, told in ((b"[]", InstallState.DAMAGED), (b"{}", InstallState.INSTALLED)):
            elsewhere.write_bytes(content)
            await rig.reaches(told, ref=other, job="", within_s=8)
        await rig.reaches(InstallState.INSTALLED, within_s=0.1)
        await somebody.release()
        await rig.reaches(InstallState.DAMAGED, job="", within_s=8)


async def test_a_wiped_store_knows_the_installed_set_again_within_ten_seconds(rig: Rig) -> None:
    rig.publish(FILES)
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
        await rig.js.delete_stream(COMMANDS)
        await rig.js.delete_stream("KV_sirene-models")
        await rig.js.delete_stream("KV_sirene-leases")
        await rig.reaches(InstallState.INSTALLED, job="", within_s=10)
