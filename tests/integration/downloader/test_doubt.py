"""A replica could not load what is installed: the files are looked at, and the state says so."""

import os
from pathlib import Path

from sirene_shared.messages import InstallState, Suspicion
from sirene_shared.subjects import SUSPICION
from tests.integration.downloader.rig import REF, Rig

FILES = {"model.onnx": b"weights" * 1000, "model.onnx.json": b"{}"}


async def doubt(rig: Rig, reason: str = "'model.onnx' is not an ONNX file") -> None:
    record = rig.store.record(REF)
    suspicion = Suspicion(
        model=REF.model,
        variant=REF.variant,
        reason=reason,
        installed_at=record.installed_at if record else 0.0,
    )
    await rig.nc.publish(SUSPICION.of(REF), suspicion.encode())


async def test_bytes_that_changed_are_found_and_a_pull_repairs_them(
    rig: Rig, tmp_path: Path
) -> None:
    rig.publish(FILES)
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
        path = rig.store.directory(REF) / "model.onnx"
        written = path.stat().st_mtime_ns
        altered = tmp_path / "altered"
        altered.write_bytes(b"W" + path.read_bytes()[1:])
        # As a disk alters it: nobody hears of it, and its time is as it was.
        os.utime(altered, ns=(written, written))
        altered.replace(path)
        for _ in range(3):
            await doubt(rig)
        status = await rig.reaches(InstallState.DAMAGED, job="")
        assert status.error
        assert "'model.onnx' of 'voice:small' is not what was installed" in status.error.message
        assert rig.store.record(REF) is None
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
        await rig.answered()
    rig.check_installed(FILES)


async def test_what_is_as_recorded_and_still_does_not_load_is_damaged_too(rig: Rig) -> None:
    rig.publish(FILES)
    async with rig.running():
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
        await doubt(rig, "no engine likes it")
        status = await rig.reaches(InstallState.DAMAGED, job="")
        assert status.error
        assert status.error.message == "no engine likes it"
        assert status.error.code == "model_damaged"
    rig.check_installed(FILES)


async def test_a_doubt_about_what_is_not_there_any_more_changes_nothing(
    rig: Rig,
) -> None:
    rig.publish(FILES)
    async with rig.running():
        await doubt(rig)
        await rig.nc.publish(SUSPICION.of(REF), b"{")
        await rig.pull()
        await rig.reaches(InstallState.INSTALLED)
        await rig.answered()
        stale = Suspicion(model=REF.model, variant=REF.variant, reason="old", installed_at=1.0)
        await rig.nc.publish(SUSPICION.of(REF), stale.encode())
        await rig.pull(job="job-2")
        await rig.reaches(InstallState.INSTALLED, job="job-2")
    rig.check_installed(FILES)
