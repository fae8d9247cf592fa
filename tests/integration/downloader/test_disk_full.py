"""A volume too small: refused before the first byte, or ended at the first that does not fit."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from sirene_shared.messages import InstallState
from tests.integration.downloader.rig import Rig, until_sent

MIB = 1 << 20
MOUNT = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"']


def can_mount(folder: Path) -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run([*MOUNT, folder, "true"], capture_output=True).returncode == 0


@pytest.fixture
def small_volume(rig: Rig) -> list[str]:
    """A command that starts another on a volume of 8 MiB."""
    if not can_mount(rig.root):
        pytest.skip("a small volume needs root and the right to mount")
    return [*MOUNT, str(rig.root)]


async def test_a_model_too_large_is_refused_with_both_numbers(
    rig: Rig, small_volume: list[str]
) -> None:
    content = random.Random(7).randbytes(9 * MIB)
    rig.publish({"model.onnx": content})
    async with rig.process(*small_volume):
        await rig.pull()
        status = await rig.reaches(InstallState.FAILED, within_s=5)
        await rig.answered()
    assert status.error is not None
    assert status.error.code == "disk_full"
    numbers = [int(word) for word in status.error.message.split() if word.isdecimal()]
    assert numbers[0] >= len(content) > numbers[1]
    assert not rig.hub.requests("GET", "small/model.onnx")


async def test_a_volume_that_fills_up_fails_the_pull_until_there_is_space_again(
    rig: Rig, small_volume: list[str]
) -> None:
    content = random.Random(8).randbytes(6 * MIB)
    rig.hub.rate_bytes_s = 6 * MIB
    rig.publish({"model.onnx": content})
    async with rig.process(*small_volume) as process:
        await rig.pull()
        await until_sent(rig.hub, "small/model.onnx", MIB)
        filler = Path(f"/proc/{process.pid}/root{rig.root}/filler")
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(bytes(7 * MIB))
        status = await rig.reaches(InstallState.FAILED)
        assert status.error is not None
        assert status.error.code == "disk_full"
        await rig.answered()
        filler.unlink()
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    assert rig.hub.sent_bytes["small/model.onnx"] < 1.5 * len(content)
    assert rig.log.count("disk_full") == 1
