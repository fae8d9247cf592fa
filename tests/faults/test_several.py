"""Several downloaders on one volume: each model fetched once, and told of once."""

import asyncio
import random
import signal

import pytest

from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from tests.faults.hearing import hearing
from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.integration.downloader.rig import REF, until_sent
from tests.support.hub import Fault
from tests.support.waiting import until

MIB = 1 << 20
OTHER = ModelRef("voice", "other")
MODELS: dict[ModelRef, Files] = {
    REF: {"config.json": b"{}", "model.onnx": random.Random(1).randbytes(MIB)},
    OTHER: {"model.onnx": random.Random(2).randbytes(MIB // 2)},
}
SIZE_BYTES = sum(len(content) for files in MODELS.values() for content in files.values())
MOST = 1.1


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("downloaders", "rounds"),
    [
        (3, 4),
        pytest.param(2, 50, marks=SLOW),
        pytest.param(3, 50, marks=SLOW),
        pytest.param(4, 50, marks=SLOW),
    ],
)
async def test_several_downloaders_fetch_each_model_once(
    rig: FaultRig, downloaders: int, rounds: int
) -> None:
    for ref, files in MODELS.items():
        rig.publish(dict(files), ref=ref)
    volume = rig.volume(MODELS)
    workers = await rig.at_work(*(f"downloader-{number}" for number in range(downloaders)))
    async with volume.watched(), hearing(rig.nc) as heard:
        for number in range(rounds):
            pulls = {ref: f"{ref.variant}-{number}" for ref in MODELS}
            deletes = {ref: f"delete-{ref.variant}-{number}" for ref in MODELS}
            before = rig.hub.sent_bytes.total()
            for ref, job in pulls.items():
                await rig.pull(ref, job=job)
            for ref, job in pulls.items():
                await rig.installs(job, ref)
            volume.check_installed(*MODELS)
            assert rig.hub.sent_bytes.total() - before <= MOST * SIZE_BYTES
            for ref, job in deletes.items():
                await rig.delete(ref, job=job)
                await rig.reaches(InstallState.ABSENT, ref=ref, job=job)
            await rig.answered()
            volume.check_installed()
            await until(lambda: all(heard.states[job] for job in deletes.values()))  # noqa: B023
            heard.check(*pulls.values(), *deletes.values())
    for worker in workers:
        assert await worker.end() == 0, rig.log
    volume.check_no_orphans()
    assert volume.looks > rounds
    assert rig.hub.sent_bytes.total() <= MOST * rounds * SIZE_BYTES


@pytest.mark.parametrize(
    "stopped_s", [0, pytest.param(90, marks=pytest.mark.slow)], ids=["at once", "90 s"]
)
async def test_a_stopped_downloader_that_wakes_up_finds_its_model_installed_by_another(
    rig: FaultRig, stopped_s: int
) -> None:
    """stopped_s: 0 lets the lease run out at once, by what its running out does to the bus."""
    rig.publish(dict(MODELS[REF]))
    volume = rig.volume({REF: MODELS[REF]})
    rig.hub.fault("small/model.onnx", Fault(stall_at=MIB // 2, times=1))
    (sleeper,) = await rig.at_work("sleeper")
    await rig.pull()
    await until_sent(rig.hub, "small/model.onnx", MIB // 2)
    sleeper.send(signal.SIGSTOP)
    heir = rig.worker(SIRENE_REPLICA_ID="heir")
    heir.go()
    async with volume.watched():
        if stopped_s:
            await asyncio.sleep(stopped_s)
        else:
            await rig.ten_seconds_pass()
        await rig.installs("job-1")
        sleeper.send(signal.SIGCONT)
        assert await sleeper.end() == 0, rig.log
    await rig.installs("job-1")
    assert await heir.end() == 0, rig.log
    volume.check_installed(REF)
    volume.check_no_orphans()
