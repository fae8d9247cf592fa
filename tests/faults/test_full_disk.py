"""A disk that is full from any point of a pull on, and has space again: without a restart."""

import random
import time

import pytest

from sirene_shared.messages import InstallState
from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.faults.worker import TRACING, Worker, traced
from tests.integration.downloader.rig import ENDED, REF

MIB = 1 << 20
FILES: Files = {
    "config.json": random.Random(1).randbytes(3000),
    "model.onnx": random.Random(2).randbytes(3 * MIB),
    "voices/one.bin": random.Random(3).randbytes(MIB // 2),
}
AT_LEAST = 20
SAID_WITHIN_S = 5.0


async def fill_at(rig: FaultRig, worker: Worker, number: int) -> bool:
    """False: the pull needed nothing more of the disk by then."""
    volume, job = rig.volume({REF: FILES}), f"job-{number}"
    told = rig.log.count("disk_full")
    async with traced(worker, *TRACING, "full", str(rig.root), str(number)):
        began = time.monotonic()
        await rig.pull(job=job)
        status = await rig.reaches(*ENDED, job=job)
        took_s = time.monotonic() - began
        await rig.answered()
    if status.error is None:
        volume.check_installed(REF)
        return False
    assert status.error.code == "disk_full"
    assert took_s < SAID_WITHIN_S
    assert rig.log.count("disk_full") == told + 1
    # When only the last sync failed, what is there is whole, and stays.
    is_there = REF in volume.check_installs()
    assert status.state is (InstallState.INSTALLED if is_there else InstallState.FAILED)
    await rig.pull(job=f"{job}-again")
    await rig.installs(f"{job}-again")
    volume.check_installed(REF)
    await rig.delete(job=f"delete-{number}")
    await rig.reaches(InstallState.ABSENT, job=f"delete-{number}")
    await rig.answered()
    return True


@pytest.mark.usefixtures("can_trace")
@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.slow)])
async def test_a_disk_that_fills_up_at_any_point_fails_the_pull_and_no_later_one(
    rig: FaultRig, every: int
) -> None:
    rig.publish(FILES)
    (worker,) = await rig.at_work("worker")
    number = 1
    while await fill_at(rig, worker, number):
        number += every
    print(f"full at {number // every} points")
    assert number > AT_LEAST
    assert await worker.end() == 0, rig.log
    rig.volume({REF: FILES}).check_no_orphans()
