"""Ending a pull: cancelled, deleted, or with the whole service."""

import random
import time

from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from tests.integration.downloader.rig import PATIENT, REF, Rig, until_sent
from tests.support.hub import Fault

CONTENT = random.Random(3).randbytes(2_000_000)
OTHER = ModelRef("voice", "other")
PATH = "small/model.onnx"


async def test_a_cancelled_pull_ends_within_a_second_though_its_socket_stalls(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=500_000))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await until_sent(rig.hub, PATH, 500_000)
        began = time.monotonic()
        await rig.cancel("job-1")
        status = await rig.reaches(InstallState.ABSENT, within_s=5)
        assert time.monotonic() - began < 1
        assert status.error is not None
        assert status.error.code == "pull_cancelled"
        await rig.answered()
        assert rig.staged_bytes() == 0
        rig.hub.fault(PATH, None)
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})


async def test_a_pull_cancelled_with_keep_goes_on_where_it_stopped(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=1_500_000, times=1))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await rig.has_received(1_500_000)
        await rig.cancel("job-1", keep=True)
        await rig.reaches(InstallState.ABSENT)
        await rig.answered()
        assert not rig.store.directory(REF).exists()
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] < 1.3 * len(CONTENT)


async def test_a_queued_pull_that_is_cancelled_never_begins_and_blocks_no_new_one(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.publish({"model.onnx": CONTENT}, ref=OTHER)
    rig.hub.fault(PATH, Fault(stall_at=1000))
    async with rig.running(limits=PATIENT, pulls=1):
        await rig.pull()
        await rig.reaches(InstallState.DOWNLOADING)
        await rig.pull(OTHER, job="job-2")
        await rig.reaches(InstallState.QUEUED, ref=OTHER, job="job-2")
        await rig.cancel("job-2", OTHER)
        status = await rig.reaches(InstallState.ABSENT, ref=OTHER, job="job-2", within_s=5)
        assert status.error is not None
        assert status.error.code == "pull_cancelled"
        await rig.cancel("job-1")
        await rig.reaches(InstallState.ABSENT)
        await rig.answered()
        assert not rig.hub.requests("GET", "other/model.onnx")
        await rig.pull(OTHER, job="job-3")
        await rig.reaches(InstallState.INSTALLED, ref=OTHER, job="job-3")
        await rig.answered()


async def test_a_deleted_model_is_gone_with_its_folder(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.delete()
        await rig.reaches(InstallState.ABSENT, job="delete-1")
        await rig.answered()
        assert not rig.store.directory(REF).exists()
        await rig.delete(job="delete-2")
        await rig.reaches(InstallState.ABSENT, job="delete-2")
        await rig.answered()
    assert not (rig.root / REF.model).exists()
    assert rig.staged_bytes() == 0


async def test_a_delete_ends_the_running_pull_of_its_model(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=500_000))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await until_sent(rig.hub, PATH, 500_000)
        await rig.delete()
        await rig.reaches(InstallState.ABSENT, job="delete-1")
        await rig.answered()
    assert rig.staged_bytes() == 0


async def test_of_pull_delete_pull_the_last_one_wins(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    await rig.pull()
    await rig.delete()
    async with rig.running():
        await rig.reaches(InstallState.ABSENT, job="delete-1")
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})


async def test_a_service_that_ends_leaves_its_pull_to_the_next_one_at_once(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=1_000_000, times=1))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await rig.has_received(1_000_000)
    await rig.reaches(InstallState.QUEUED)
    began = time.monotonic()
    async with rig.running(limits=PATIENT):
        await rig.reaches(InstallState.INSTALLED)
        assert time.monotonic() - began < 8  # sooner than a lost worker is noticed
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] < 1.3 * len(CONTENT)
