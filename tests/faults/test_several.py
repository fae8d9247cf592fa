"""Several downloaders on one volume: each model fetched once, and told of once."""

import asyncio
import random
import signal

import pytest

from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.integration.downloader.rig import REF, until_sent
from tests.support.hub import Fault

MIB = 1 << 20
OTHER = ModelRef("voice", "other")
MODELS: dict[ModelRef, Files] = {
    REF: {"config.json": b"{}", "model.onnx": random.Random(1).randbytes(MIB)},
    OTHER: {"model.onnx": random.Random(2).randbytes(MIB // 2)},
}
SIZE_BYTES = sum(len(content) for files in MODELS.values() for content in files.values())
MOST = 1.1


@pytest.mark.parametrize(
    "rounds", [4, pytest.param(50, marks=pytest.mark.slow)], ids=["4 rounds", "50 rounds"]
)
async def test_several_downloaders_fetch_each_model_once(rig: FaultRig, rounds: int) -> None:
    for ref, files in MODELS.items():
        rig.publish(dict(files), ref=ref)
    volume = rig.volume(MODELS)
    workers = await rig.at_work("one", "two", "three")
    async with volume.watched():
        for number in range(rounds):
            for ref in MODELS:
                await rig.pull(ref, job=f"{ref.variant}-{number}")
            for ref in MODELS:
                await rig.installs(f"{ref.variant}-{number}", ref)
            volume.check_installed(*MODELS)
            for ref in MODELS:
                await rig.delete(ref, job=f"delete-{ref.variant}-{number}")
                await rig.reaches(
                    InstallState.ABSENT, ref=ref, job=f"delete-{ref.variant}-{number}"
                )
            await rig.answered()
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
