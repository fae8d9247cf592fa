"""The server's store is deleted, at any time: the volume, and whoever is at work, know it all."""

import random
import shutil
import signal

from sirene_shared import bus
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from sirene_shared.subjects import COMMANDS, HEARTBEAT_S, PULL
from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.integration.downloader.rig import REF, until_sent
from tests.support.nats import NatsServer

MIB = 1 << 20
OTHER = ModelRef("voice", "other")
FILES: Files = {"config.json": b"{}", "model.onnx": random.Random(1).randbytes(6 * MIB)}
OTHERS: Files = {"model.onnx": random.Random(2).randbytes(MIB)}
PATH = "small/model.onnx"
BACK_S = 10.0


async def wipe(rig: FaultRig, server: NatsServer) -> None:
    """Kill the server, remove all that it keeps, and start it."""
    server.kill()
    shutil.rmtree(server.folder / "jetstream")
    server.start()
    await bus.bootstrap_when_ready(rig.nc)


async def queued_job(rig: FaultRig, ref: ModelRef = REF) -> str:
    for stream in await rig.js.streams_info():
        if stream.config.name == COMMANDS and stream.state.messages:
            found = await rig.js.get_last_msg(COMMANDS, PULL.of(ref))
            return PULL.message.decode(found.data or b"").job
    return ""


async def test_the_installed_set_is_back_in_ten_seconds(
    rig_on_own_bus: FaultRig, own_nats_server: NatsServer
) -> None:
    rig = rig_on_own_bus
    rig.publish(dict(OTHERS), ref=OTHER)
    (worker,) = await rig.at_work("worker")
    await rig.pull(OTHER)
    await rig.installs("job-1", OTHER)
    await wipe(rig, own_nats_server)
    status = await rig.reaches(InstallState.INSTALLED, ref=OTHER, job="", within_s=BACK_S)
    assert status.size_bytes == len(OTHERS["model.onnx"])
    assert await worker.end() == 0, rig.log
    rig.volume({OTHER: OTHERS}).check_installed(OTHER)


async def test_a_pull_goes_on_and_is_nobodys_loss_when_its_downloader_dies_too(
    rig_on_own_bus: FaultRig, own_nats_server: NatsServer
) -> None:
    rig = rig_on_own_bus
    rig.hub.rate_bytes_s = MIB // 2
    rig.publish(dict(FILES))
    rig.publish(dict(OTHERS), ref=OTHER)
    volume = rig.volume({REF: FILES, OTHER: OTHERS})
    (worker,) = await rig.at_work("worker")
    async with volume.watched():
        await rig.pull(OTHER, job="job-0")
        await rig.installs("job-0", OTHER)
        await rig.pull()
        await until_sent(rig.hub, PATH, MIB // 2)
        await wipe(rig, own_nats_server)
        await rig.reaches(InstallState.INSTALLED, ref=OTHER, job="", within_s=BACK_S)
        await rig.reaches(InstallState.DOWNLOADING, within_s=BACK_S + HEARTBEAT_S)
        assert await queued_job(rig) == "job-1"
        assert await worker.end(signal.SIGKILL) == -signal.SIGKILL
        rig.hub.rate_bytes_s = None
        await rig.ten_seconds_pass()
        (heir,) = await rig.at_work("heir")
        await rig.installs("job-1")
        assert await heir.end() == 0, rig.log
    volume.check_installed(REF, OTHER)
    volume.check_no_orphans()


async def test_a_pull_that_its_downloader_goes_on_with_is_installed_and_fetched_once(
    rig_on_own_bus: FaultRig, own_nats_server: NatsServer
) -> None:
    rig = rig_on_own_bus
    rig.hub.rate_bytes_s = 2 * MIB
    rig.publish(dict(FILES))
    volume = rig.volume({REF: FILES})
    workers = await rig.at_work("one", "two")
    async with volume.watched():
        await rig.pull()
        await until_sent(rig.hub, PATH, MIB // 2)
        await wipe(rig, own_nats_server)
        await rig.installs("job-1")
        for worker in workers:
            assert await worker.end() == 0, rig.log
    volume.check_installed(REF)
    volume.check_no_orphans()
    assert rig.hub.sent_bytes[PATH] == len(FILES["model.onnx"])
