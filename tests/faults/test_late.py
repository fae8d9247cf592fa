"""A downloader that is stopped in the last moment before it commits, and wakes up when others have
gone on: it has lost the model, does not know it, and changes nothing."""

import random

import pytest

from sirene_shared import bus
from sirene_shared.messages import InstallState
from sirene_shared.subjects import COMMANDS, DELETE_CONSUMER
from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.faults.stopping import stopped_before_renaming
from tests.integration.downloader.rig import REF

pytestmark = pytest.mark.usefixtures("can_trace")

FILES: Files = {"config.json": b"{}", "model.onnx": random.Random(1).randbytes(1 << 19)}


async def test_a_late_install_does_not_replace_what_another_installed(rig: FaultRig) -> None:
    rig.publish(dict(FILES))
    volume, place = rig.volume({REF: FILES}), rig.store.directory(REF)
    (sleeper,) = await rig.at_work("sleeper")
    async with volume.watched(), stopped_before_renaming(sleeper, place) as late:
        await rig.pull()
        await late.sleeps()
        assert not place.exists()
        await rig.ten_seconds_pass()
        heir = rig.worker(SIRENE_REPLICA_ID="heir")
        heir.go()
        await rig.installs("job-1")
        inode, revision = place.stat().st_ino, await rig.revision()
        late.wake()
        assert await sleeper.end() == 0, rig.log
        assert place.stat().st_ino == inode
        assert await rig.revision() == revision, (await rig.status(), rig.log)
        assert await heir.end() == 0, rig.log
    volume.check_installed(REF)
    volume.check_no_orphans()


async def test_a_late_install_does_not_bring_back_what_was_deleted(rig: FaultRig) -> None:
    rig.publish(dict(FILES))
    volume, place = rig.volume({REF: FILES}), rig.store.directory(REF)
    (sleeper,) = await rig.at_work("sleeper")
    async with volume.watched(), stopped_before_renaming(sleeper, place) as late:
        await rig.pull()
        await late.sleeps()
        await rig.ten_seconds_pass()
        heir = rig.worker(SIRENE_REPLICA_ID="heir")
        heir.go()
        await rig.installs("job-1")
        await rig.delete()
        await rig.reaches(InstallState.ABSENT, job="delete-1")
        await rig.answered()
        revision = await rig.revision()
        late.wake()
        assert await sleeper.end() == 0, rig.log
        assert await rig.revision() == revision, (await rig.status(), rig.log)
        assert await heir.end() == 0, rig.log
    volume.check_installed()
    volume.check_no_orphans()


async def test_a_late_delete_does_not_take_what_was_pulled_since(rig: FaultRig) -> None:
    rig.publish(dict(FILES))
    volume, place = rig.volume({REF: FILES}), rig.store.directory(REF)
    (installer,) = await rig.at_work("installer")
    await rig.pull()
    await rig.installs("job-1")
    assert await installer.end() == 0, rig.log
    (sleeper,) = await rig.at_work("sleeper")
    async with volume.watched(), stopped_before_renaming(sleeper, place) as late:
        await rig.delete()
        await late.sleeps()
        await rig.ten_seconds_pass()
        # And the delete is delivered again.
        await rig.js.delete_consumer(COMMANDS, DELETE_CONSUMER)
        await bus.bootstrap(rig.js)
        heir = rig.worker(SIRENE_REPLICA_ID="heir")
        heir.go()
        await rig.reaches(InstallState.ABSENT, job="delete-1")
        await rig.answered()
        await rig.pull(job="job-2")
        await rig.installs("job-2")
        inode, revision = place.stat().st_ino, await rig.revision()
        late.wake()
        assert await sleeper.end() == 0, rig.log
        assert place.stat().st_ino == inode
        assert await rig.revision() == revision, (await rig.status(), rig.log)
        assert await heir.end() == 0, rig.log
    volume.check_installed(REF)
    volume.check_no_orphans()
