"""From a pull command to an installed model."""

import hashlib
import random
import time

import pytest
from nats.js.errors import APIError

from sirene_shared import bus
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from tests.integration.downloader.rig import PATIENT, REF, Rig
from tests.support.hub import Fault

FILES = {
    "model.onnx": random.Random(1).randbytes(3_000_001),
    "espeak/config.json": b'{"sample_rate": 22050}',
    "empty.txt": b"",
}


async def test_a_pull_installs_the_files_with_a_record(rig: Rig) -> None:
    rig.publish(FILES)
    async with rig.running():
        await rig.pull()
        status = await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed(FILES)
    record = rig.store.record(REF)
    assert record is not None
    assert record.revision == rig.hub.commit("acme/voices") == status.revision
    assert status.size_bytes == record.size_bytes == sum(map(len, FILES.values()))
    assert record.license == "MIT"
    assert not list(rig.store.staging.iterdir())


async def test_a_second_pull_joins_the_first(rig: Rig) -> None:
    rig.publish({"model.onnx": FILES["model.onnx"]})
    rig.hub.fault("small/model.onnx", Fault(stall_at=1000, times=1))
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.DOWNLOADING)
        with pytest.raises(APIError) as refused:
            await rig.pull(job="job-2")
        assert refused.value.err_code == bus.COMMAND_IS_QUEUED
        await rig.reaches(InstallState.INSTALLED, job="job-1")
    rig.check_installed({"model.onnx": FILES["model.onnx"]})


async def test_a_pull_of_what_is_installed_asks_the_hub_for_nothing(rig: Rig) -> None:
    rig.publish(FILES)
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
        asked = len(rig.hub.log)
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    assert len(rig.hub.log) == asked


async def test_a_pull_repairs_what_was_altered_by_hand(rig: Rig) -> None:
    rig.publish(FILES)
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    (rig.store.directory(REF) / "model.onnx").write_bytes(b"cut")
    async with rig.running():
        status = await rig.reaches(InstallState.DAMAGED, job="")
        assert status.error is not None
        assert status.error.code == "model_damaged"
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    rig.check_installed(FILES)


async def test_a_changed_manifest_is_pulled_anew_and_replaces_the_old_install(rig: Rig) -> None:
    rig.publish({"model.onnx": b"old"})
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.publish({"model.onnx": b"new", "config.json": b"{}"})
    async with rig.running():
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    rig.check_installed({"model.onnx": b"new", "config.json": b"{}"})


@pytest.mark.parametrize("sizes_are_known", [True, False])
async def test_a_mirror_without_an_api_is_enough(rig: Rig, sizes_are_known: bool) -> None:
    rig.hub.has_api = False
    rig.publish(FILES)
    if sizes_are_known:
        rig.write_manifest(
            [
                {"path": path, "source": f"small/{path}", "size": len(content)}
                for path, content in FILES.items()
            ]
        )
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed(FILES)


async def test_an_md5_of_the_manifest_is_checked(rig: Rig) -> None:
    rig.publish(FILES)
    content = FILES["model.onnx"]
    file = {"path": "model.onnx", "source": "small/model.onnx", "size": len(content)}
    async with rig.running_with([{**file, "md5": hashlib.md5(content).hexdigest()}]):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": content})
    async with rig.running_with([{**file, "md5": hashlib.md5(b"another").hexdigest()}]):
        await rig.pull(job="job-2")
        status = await rig.reaches(InstallState.INSTALLED, job="job-2")
        assert status.error is not None
        assert status.error.code == "hash_mismatch"
    rig.check_installed({"model.onnx": content})


async def test_progress_is_told_at_most_four_times_a_second_and_never_runs_back(rig: Rig) -> None:
    content = random.Random(2).randbytes(6_000_000)
    rig.hub.rate_bytes_s = 2_500_000
    rig.publish({"model.onnx": content})
    async with rig.running(), rig.watching() as ticks:
        await rig.pull()
        began = time.monotonic()
        await rig.reaches(InstallState.INSTALLED)
        took_s = time.monotonic() - began
    assert 3 <= len(ticks) <= 4 * took_s + 1
    assert [tick.seq for tick in ticks] == sorted({tick.seq for tick in ticks})
    done = [tick.transfer.done_bytes for tick in ticks]
    assert done == sorted(done)
    for tick in ticks:
        assert tick.transfer.done_bytes <= (tick.transfer.total_bytes or len(content))
    moving = [tick.transfer for tick in ticks if tick.transfer.speed_bytes_s]
    assert moving
    assert all(transfer.file == "model.onnx" for transfer in moving)
    assert all(transfer.eta_s is not None for transfer in moving)


async def test_several_models_are_pulled_at_a_time_and_the_rest_wait(rig: Rig) -> None:
    refs = [ModelRef("voice", name) for name in ("one", "two", "three")]
    for ref in refs:
        rig.publish({"model.onnx": ref.variant.encode() * 1000}, ref=ref)
        rig.hub.fault(f"{ref.variant}/model.onnx", Fault(stall_at=100, times=1))
    async with rig.running(limits=PATIENT):
        for number, ref in enumerate(refs):
            await rig.pull(ref, job=f"job-{number}")
        await rig.reaches(InstallState.DOWNLOADING, ref=refs[0], job="job-0")
        await rig.reaches(InstallState.DOWNLOADING, ref=refs[1], job="job-1")
        await rig.reaches(InstallState.QUEUED, ref=refs[2], job="job-2")
        await rig.cancel("job-0", refs[0])
        await rig.reaches(InstallState.DOWNLOADING, ref=refs[2], job="job-2")
        for number, ref in enumerate(refs):
            await rig.cancel(f"job-{number}", ref)
        await rig.answered()
