"""Interrupted by the hub, the network or its own death, a pull goes on where it stopped."""

import asyncio
import random
import signal

import pytest

from sirene_downloader.lease import Lease
from sirene_shared.messages import InstallState
from tests.integration.downloader.rig import PATIENT, REF, REPO, Rig, until_sent
from tests.support.hub import Fault
from tests.support.nats import NatsServer
from tests.support.waiting import until

MIB = 1 << 20
CONTENT = random.Random(5).randbytes(4 * MIB)
PATH = "small/model.onnx"


async def test_a_killed_downloaders_pull_goes_on_after_its_restart(rig: Rig) -> None:
    content = random.Random(6).randbytes(24 * MIB)
    rig.hub.rate_bytes_s = 8 * MIB
    rig.publish({"config.json": b"{}", "model.onnx": content})
    process = await rig.start()
    await rig.pull()
    await until_sent(rig.hub, PATH, 12 * MIB)
    process.kill()
    await asyncio.to_thread(process.wait)
    assert not rig.store.directory(REF).exists()
    assert (await rig.reaches(InstallState.DOWNLOADING)).transfer is not None
    async with rig.process():
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"config.json": b"{}", "model.onnx": content})
    assert rig.hub.sent_bytes[PATH] < 1.3 * len(content)
    assert rig.hub.requests("GET", PATH)[1].range
    assert not list(rig.store.staging.iterdir())


async def test_sigterm_ends_the_process_in_order_and_keeps_what_came(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=3 * MIB, times=1))
    process = await rig.start()
    await rig.pull()
    await rig.has_received(3 * MIB)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 10) == 0
    await rig.reaches(InstallState.QUEUED)
    async with rig.process():
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] < 1.3 * len(CONTENT)
    assert "Traceback" not in rig.log


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drop_at=3 * MIB, times=1),
        Fault(stall_at=3 * MIB, times=1),
        Fault(status=503, times=2),
        Fault(status=429, headers={"Retry-After": "0"}, times=1),
    ],
    ids=["dropped", "stalled", "503", "429"],
)
async def test_a_passing_fault_costs_little(rig: Rig, fault: Fault) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, fault)
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] < 1.3 * len(CONTENT)


async def test_a_bit_that_turned_once_costs_one_more_fetch(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(flip_at=MIB, times=1))
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] == 2 * len(CONTENT)


async def test_a_hub_that_ignores_ranges_is_read_from_the_start(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(drop_at=3 * MIB, times=1))
    async with rig.running():
        await rig.pull()
        await until_sent(rig.hub, PATH, 3 * MIB)
        rig.hub.fault(PATH, Fault(ignores_ranges=True))
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})


async def test_a_file_that_changed_on_the_hub_is_never_spliced(rig: Rig) -> None:
    rig.hub.has_api = False
    rig.publish({"config.txt": CONTENT})
    rig.hub.fault("small/config.txt", Fault(drop_at=3 * MIB, times=1))
    async with rig.running():
        await rig.pull()
        await until_sent(rig.hub, "small/config.txt", 3 * MIB)
        rig.hub.fault("small/config.txt", Fault(etag="another"))
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"config.txt": CONTENT})
    assert rig.hub.sent_bytes["small/config.txt"] == 7 * MIB


async def test_a_part_of_another_version_is_not_continued(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=3 * MIB, times=1))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await until_sent(rig.hub, PATH, 3 * MIB)
    changed = CONTENT[::-1]
    rig.hub.add(REPO, PATH, changed)
    async with rig.running():
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": changed})


async def test_a_pull_outlives_the_bus(rig_on_own_bus: Rig, own_nats_server: NatsServer) -> None:
    rig = rig_on_own_bus
    rig.hub.rate_bytes_s = 2 * MIB
    rig.publish({"model.onnx": CONTENT})
    async with rig.running():
        await rig.pull()
        await until_sent(rig.hub, PATH, MIB // 2)
        own_nats_server.kill()
        await until_sent(rig.hub, PATH, len(CONTENT))
        assert not rig.store.directory(REF).exists()  # nobody proves that the lease is ours still
        own_nats_server.start()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] == len(CONTENT)


async def test_a_downloader_that_waits_for_the_bus_can_be_ended(
    rig_on_own_bus: Rig, own_nats_server: NatsServer
) -> None:
    rig = rig_on_own_bus
    rig.publish({"model.onnx": CONTENT})
    own_nats_server.kill()
    process = rig.launch()
    await until(lambda: "connecting" in rig.log)
    process.terminate()
    assert await asyncio.to_thread(process.wait, 10) == 0


async def test_a_wiped_bus_is_told_again_what_the_volume_holds(rig_on_own_bus: Rig) -> None:
    rig = rig_on_own_bus
    rig.publish({"model.onnx": CONTENT})
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
        for stream in await rig.js.streams_info():
            await rig.js.delete_stream(stream.config.name or "")
        status = await rig.reaches(InstallState.INSTALLED, job="", within_s=10)
        assert status.size_bytes == len(CONTENT)
        await rig.delete()
        await rig.reaches(InstallState.ABSENT, job="delete-1")


async def test_a_pull_whose_command_was_lost_is_not_running_for_ever(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=1000))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await until_sent(rig.hub, PATH, 1000)
    await rig.reaches(InstallState.QUEUED)
    await rig.js.purge_stream("SIRENE_COMMANDS")
    async with rig.running():
        status = await rig.reaches(InstallState.FAILED)
    assert status.error is not None


async def test_a_model_that_another_downloader_writes_is_left_to_it(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    other = Lease(rig.js, REF, "other-1")
    assert await other.take()
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.QUEUED)
        await other.release()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})


async def test_two_downloaders_fetch_one_model_once(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running(replica="one"), rig.running(replica="two"):
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] == len(CONTENT)
