"""A downloader whose wall clock is set a day on or back in the midst of a pull."""

import random
from pathlib import Path

import pytest

from sirene_shared.messages import InstallState
from tests.faults.hearing import hearing
from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.integration.downloader.rig import REF, until_sent

MIB = 1 << 20
HALF_A_DAY_S = 43_200
PATH = "small/model.onnx"
FILES: Files = {"model.onnx": random.Random(1).randbytes(4 * MIB)}
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")
@pytest.mark.parametrize("step", ["-1d", "+1d"])
async def test_a_clock_that_is_set_in_the_midst_of_a_pull_changes_nothing(
    rig: FaultRig, tmp_path: Path, step: str
) -> None:
    rig.hub.rate_bytes_s = 2 * MIB
    rig.publish(dict(FILES))
    volume, clock = rig.volume({REF: FILES}), tmp_path / "clock"
    clock.write_text("+0")
    async with (
        rig.process(
            LD_PRELOAD=str(LIBRARY),
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            FAKETIME_NO_CACHE="1",
            FAKETIME_TIMESTAMP_FILE=str(clock),
        ) as process,
        volume.watched(),
        hearing(rig.nc) as heard,
    ):
        await rig.pull()
        await until_sent(rig.hub, PATH, MIB)
        before = await rig.reaches(InstallState.DOWNLOADING)
        clock.write_text(step)
        await rig.installs("job-1")
        after = await rig.status()
        assert after is not None
        assert abs(after.changed_at - before.changed_at) > HALF_A_DAY_S  # it was set indeed
        heard.check("job-1")
    assert process.returncode == 0, rig.log
    volume.check_installed(REF)
    volume.check_no_orphans()
    assert rig.hub.sent_bytes[PATH] == len(FILES["model.onnx"])
