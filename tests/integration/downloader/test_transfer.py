"""Large files by several ranges: fast, resumed to the byte, never spliced, within their limits."""

import asyncio
import random
import time

import pytest

from sirene_shared.messages import InstallState
from tests.integration.downloader.rig import PATIENT, REF, REPO, Rig, until_sent
from tests.support.hub import Fault, Hub
from tests.support.waiting import until

MIB = 1 << 20
CONTENT = random.Random(9).randbytes(40 * MIB)
PATH = "small/model.onnx"


async def test_a_large_file_comes_by_several_ranges_and_each_byte_once(rig: Rig) -> None:
    files = {"model.onnx": CONTENT, "codec.bin": CONTENT[: 9 * MIB], "config.json": b"{}"}
    rig.publish(files)
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed(files)
    ranges = [request.range for request in rig.hub.requests("GET", PATH)]
    assert len(ranges) == len(set(ranges)) > 2
    assert rig.hub.sent_bytes[PATH] == len(CONTENT)


async def test_kills_cost_less_than_8_mib_each(rig: Rig) -> None:
    rig.hub.rate_bytes_s = 8 * MIB
    rig.publish({"model.onnx": CONTENT})
    kills = 3
    for kill in range(kills):
        process = await rig.start()
        if not kill:
            await rig.pull()
        await until_sent(rig.hub, PATH, (kill + 1) * 10 * MIB)
        process.kill()
        await asyncio.to_thread(process.wait)
        await rig.forget_lease()
    rig.hub.rate_bytes_s = None
    async with rig.process():
        await rig.reaches(InstallState.INSTALLED, within_s=60)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] < len(CONTENT) + kills * 8 * MIB


async def test_a_hub_without_ranges_is_read_by_one_connection(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(ignores_ranges=True))
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert len(rig.hub.requests("GET", PATH)) == 1


async def test_ranges_that_end_in_the_midst_of_a_file_are_one_new_stream(rig: Rig) -> None:
    rig.hub.rate_bytes_s = 20 * MIB
    rig.publish({"model.onnx": CONTENT})
    async with rig.running():
        await rig.pull()
        await until_sent(rig.hub, PATH, 4 * MIB)
        rig.hub.fault(PATH, Fault(ignores_ranges=True))
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})


async def test_a_file_that_changes_between_its_ranges_is_never_spliced(rig: Rig) -> None:
    rig.hub.has_api = False
    rig.hub.rate_bytes_s = 20 * MIB
    rig.publish({"weights.data": CONTENT})
    rig.hub.add(REPO, "small/weights.data", CONTENT, is_large=False)
    async with rig.running():
        await rig.pull()
        await until_sent(rig.hub, "small/weights.data", 6 * MIB)
        rig.hub.fault("small/weights.data", Fault(etag="another"))
        status = await rig.reaches(InstallState.INSTALLED, InstallState.FAILED)
        await rig.answered()
    # The bytes were the same: only the name that the hub gives them changed.
    assert status.state is InstallState.INSTALLED
    rig.check_installed({"weights.data": CONTENT})
    assert rig.hub.sent_bytes["small/weights.data"] > len(CONTENT)


async def test_all_files_in_work_are_told(rig: Rig) -> None:
    files = {"model.onnx": CONTENT, "codec.bin": CONTENT[: 9 * MIB]}
    rig.publish(files)
    for path in files:
        rig.hub.fault(f"small/{path}", Fault(stall_at=MIB, times=1))
    async with rig.running(limits=PATIENT), rig.watching() as ticks:
        await rig.pull()
        await until(lambda: ticks and set(ticks[-1].transfer.files) == set(files))
        assert ticks[-1].transfer.file in files
        await rig.cancel("job-1")
        await rig.reaches(InstallState.ABSENT)


async def test_the_rate_limit_is_kept_over_all_files(rig: Rig) -> None:
    files = {"model.onnx": CONTENT[: 6 * MIB], "codec.bin": CONTENT[: 6 * MIB]}
    rig.publish(files)
    async with rig.running(max_rate="4MiB"):
        await rig.pull()
        began = time.monotonic()
        await rig.reaches(InstallState.INSTALLED)
        took_s = time.monotonic() - began
        await rig.answered()
    rig.check_installed(files)
    assert took_s >= 12 / 4 - 0.2


async def test_no_more_connections_than_allowed(rig: Rig) -> None:
    rig.hub.rate_bytes_s = 8 * MIB
    rig.publish({"model.onnx": CONTENT[: 24 * MIB]})
    async with rig.running(connections=1):
        await rig.pull()
        began = time.monotonic()
        await rig.reaches(InstallState.INSTALLED)
        assert time.monotonic() - began >= 24 / 8 - 0.2
        await rig.answered()


async def test_a_signed_address_that_expires_is_asked_for_again(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    elsewhere = Hub(rate_bytes_s=16 * MIB)
    elsewhere.add(REPO, "signed", CONTENT)
    with elsewhere.serve() as other_url:
        rig.hub.fault(PATH, Fault(redirect=f"{other_url}/{REPO}/resolve/main/signed?sig=a%2Fb"))
        async with rig.running(private_origins="127.0.0.1:*"):
            await rig.pull()
            await until_sent(elsewhere, "signed", 4 * MIB)
            asked = len(rig.hub.requests("GET", PATH))
            elsewhere.fault("signed", Fault(status=403, times=1))
            await rig.reaches(InstallState.INSTALLED)
            await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert len(elsewhere.requests("GET", "signed")) > len(rig.hub.requests("GET", PATH)) > asked


@pytest.mark.parametrize("stall_at", [0, 5 * MIB])
async def test_many_stalled_connections_end_within_a_second(rig: Rig, stall_at: int) -> None:
    rig.publish({"model.onnx": CONTENT, "codec.bin": CONTENT})
    for path in (PATH, "small/codec.bin"):
        rig.hub.fault(path, Fault(stall_at=stall_at))
    async with rig.running(limits=PATIENT):
        await rig.pull()
        await until_sent(rig.hub, PATH, stall_at)
        await rig.reaches(InstallState.DOWNLOADING)
        began = time.monotonic()
        await rig.cancel("job-1")
        await rig.reaches(InstallState.ABSENT, within_s=5)
        assert time.monotonic() - began < 1
        await rig.answered()
    assert not rig.store.directory(REF).exists()
    assert rig.staged_bytes() == 0
