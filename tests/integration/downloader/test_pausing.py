"""Pausing a pull, its order, and the hours in which pulls run."""

import asyncio
import random
import time
from datetime import UTC, datetime

import pytest

from sirene_downloader import entries
from sirene_shared import bus
from sirene_shared.messages import Control, InstallState, PullCommand, PullLimits, Wish
from sirene_shared.names import ModelRef
from sirene_shared.subjects import CONTROL, DOWNLOADS_KEY, PULL, SETTINGS, WISHES
from tests.integration.downloader.rig import PATIENT, REF, Rig
from tests.support.hub import Fault
from tests.support.nats import NatsServer

CONTENT = random.Random(5).randbytes(2_000_000)
STALL = 1_500_000
PATH = "small/model.onnx"
OTHER, THIRD = ModelRef("voice", "other"), ModelRef("voice", "third")
NIGHT = datetime(2026, 1, 1, 23, 0, tzinfo=UTC)
DAY = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


async def wish(rig: Rig, job: str = "job-1", ref: ModelRef = REF, **fields: object) -> None:
    wanted = Wish(model=ref.model, variant=ref.variant, job=job, **fields)
    await bus.put(rig.js, WISHES, ref.key, wanted)


async def stalled_pull(rig: Rig) -> None:
    """It has received STALL bytes, and nothing more comes."""
    rig.publish({"model.onnx": CONTENT})
    rig.hub.fault(PATH, Fault(stall_at=STALL, times=1))
    await rig.pull()


async def installed(rig: Rig, job: str = "job-1") -> None:
    """And hardly a byte was fetched twice."""
    await rig.reaches(InstallState.INSTALLED, job=job)
    await rig.answered()
    rig.check_installed({"model.onnx": CONTENT})
    assert rig.hub.sent_bytes[PATH] < 1.3 * len(CONTENT)


async def test_a_pull_pauses_within_a_second_though_its_socket_stalls_and_goes_on(rig: Rig) -> None:
    await stalled_pull(rig)
    async with rig.running(limits=PATIENT):
        await rig.has_received(STALL)
        began = time.monotonic()
        await wish(rig, action="pause")
        status = await rig.reaches(InstallState.PAUSED, within_s=5)
        assert time.monotonic() - began < 1
        assert status.transfer is not None
        assert status.transfer.done_bytes >= STALL
        assert (status.transfer.speed_bytes_s, status.transfer.eta_s) == (0.0, None)
        assert status.reason == "paused"
        await wish(rig, action="run")
        await installed(rig)


async def test_pause_and_resume_come_as_control_messages_too(rig: Rig) -> None:
    await stalled_pull(rig)

    async def control(action: str) -> None:
        order = Control(job="job-1", action=action, model=REF.model, variant=REF.variant)  # type: ignore[arg-type]
        await rig.nc.publish(f"{CONTROL.prefix}.job-1", order.encode())

    async with rig.running(limits=PATIENT):
        await rig.has_received(STALL)
        await control("pause")
        await rig.reaches(InstallState.PAUSED, within_s=5)
        await control("resume")
        await installed(rig)


async def test_a_paused_pull_holds_no_slot(rig: Rig) -> None:
    await stalled_pull(rig)
    rig.publish({"model.onnx": CONTENT}, ref=OTHER)
    async with rig.running(limits=PATIENT, pulls=1):
        await rig.reaches(InstallState.DOWNLOADING)
        await rig.pull(OTHER, job="job-2")
        await rig.reaches(InstallState.QUEUED, ref=OTHER, job="job-2")
        await wish(rig, action="pause")
        await rig.reaches(InstallState.INSTALLED, ref=OTHER, job="job-2")
        assert (await rig.reaches(InstallState.PAUSED)).job == "job-1"


async def test_a_paused_pull_stays_so_over_restarts_of_downloader_and_bus(
    rig_on_own_bus: Rig, own_nats_server: NatsServer
) -> None:
    rig = rig_on_own_bus
    await stalled_pull(rig)
    async with rig.running(limits=PATIENT):
        await rig.has_received(STALL)
        await wish(rig, action="pause")
        await rig.reaches(InstallState.PAUSED)
    own_nats_server.kill()
    own_nats_server.start()
    await bus.bootstrap_when_ready(rig.nc)
    rig.publish({"model.onnx": CONTENT}, ref=OTHER)
    async with rig.running(limits=PATIENT):
        await rig.pull(OTHER, job="job-2")
        await rig.reaches(InstallState.INSTALLED, ref=OTHER, job="job-2")
        status = await rig.reaches(InstallState.PAUSED)
        assert status.transfer is not None
        assert status.transfer.done_bytes >= STALL
        await wish(rig, action="run")
        await installed(rig)


async def test_a_pull_paused_while_its_downloader_is_dead_is_shown_as_paused(rig: Rig) -> None:
    await stalled_pull(rig)
    killed = await rig.start()
    await rig.has_received(STALL)
    killed.kill()
    await asyncio.to_thread(killed.wait)
    await rig.forget_lease()
    await wish(rig, action="pause")
    async with rig.running(limits=PATIENT):
        await rig.reaches(InstallState.PAUSED)
        await wish(rig, action="run")
        await installed(rig)


async def test_a_queued_pull_can_be_paused_and_a_paused_one_cancelled(rig: Rig) -> None:
    await stalled_pull(rig)
    rig.publish({"model.onnx": CONTENT}, ref=OTHER)
    async with rig.running(limits=PATIENT, pulls=1):
        await rig.has_received(STALL)
        await rig.pull(OTHER, job="job-2")
        await rig.reaches(InstallState.QUEUED, ref=OTHER, job="job-2")
        await wish(rig, "job-2", OTHER, action="pause")
        await rig.reaches(InstallState.PAUSED, ref=OTHER, job="job-2")
        await wish(rig, action="pause")
        await rig.reaches(InstallState.PAUSED)
        assert not rig.hub.requests("GET", "other/model.onnx")
        assert rig.staged_bytes() >= STALL
        for job, ref in (("job-1", REF), ("job-2", OTHER)):
            await wish(rig, job, ref, action="cancel")
            status = await rig.reaches(InstallState.ABSENT, ref=ref, job=job, within_s=5)
            assert status.error is not None
            assert status.error.code == "pull_cancelled"
        await rig.answered()
        assert rig.staged_bytes() == 0


async def test_a_paused_pull_cancelled_with_keep_leaves_its_bytes_to_the_next(rig: Rig) -> None:
    await stalled_pull(rig)
    async with rig.running(limits=PATIENT):
        await rig.has_received(STALL)
        await wish(rig, action="pause")
        await rig.reaches(InstallState.PAUSED)
        await wish(rig, action="cancel", keep=True)
        await rig.reaches(InstallState.ABSENT)
        await rig.answered()
        await rig.pull(job="job-2")
        await installed(rig, "job-2")


async def test_a_cancel_asked_for_while_no_downloader_runs_is_carried_out_later(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    await rig.pull()
    await wish(rig, action="cancel")
    async with rig.running():
        await rig.reaches(InstallState.ABSENT)
        await rig.answered()
    assert not rig.hub.requests("GET", PATH)


async def test_pulling_a_paused_model_again_resumes_it(rig: Rig) -> None:
    await stalled_pull(rig)
    async with rig.running(limits=PATIENT):
        await rig.has_received(STALL)
        await wish(rig, action="pause")
        await rig.reaches(InstallState.PAUSED)
        again = PullCommand(model=REF.model, variant=REF.variant, job="job-2")
        await rig.nc.publish(PULL.of(REF), again.encode())
        await installed(rig)


async def test_another_downloader_goes_on_with_a_paused_pull_where_it_stopped(rig: Rig) -> None:
    await stalled_pull(rig)
    async with rig.running(limits=PATIENT, replica="one"):
        await rig.has_received(STALL)
        await wish(rig, action="pause")
        await rig.reaches(InstallState.PAUSED)
        limits = PullLimits(pulls=1)
        await bus.put(rig.js, SETTINGS, DOWNLOADS_KEY, limits)
        async with rig.running(limits=PATIENT, replica="two"):
            await wish(rig, action="run")
            await installed(rig)


async def test_pulls_run_in_the_order_that_is_wished(rig: Rig) -> None:
    await stalled_pull(rig)
    for ref in (OTHER, THIRD):
        rig.publish({"model.onnx": CONTENT}, ref=ref)
        rig.hub.fault(f"{ref.variant}/model.onnx", Fault(stall_at=1000, times=1))
    async with rig.running(limits=PATIENT, pulls=1):
        await rig.reaches(InstallState.DOWNLOADING)
        await rig.pull(OTHER, job="job-2")
        await rig.pull(THIRD, job="job-3")
        await rig.reaches(InstallState.QUEUED, ref=THIRD, job="job-3")
        await wish(rig, "job-3", THIRD, rank=-1)
        await wish(rig, action="cancel")
        await rig.reaches(InstallState.DOWNLOADING, ref=THIRD, job="job-3")
        await rig.reaches(InstallState.QUEUED, ref=OTHER, job="job-2")


async def test_more_pulls_run_as_soon_as_the_limit_is_raised(rig: Rig) -> None:
    await stalled_pull(rig)
    rig.publish({"model.onnx": CONTENT}, ref=OTHER)
    async with rig.running(limits=PATIENT, pulls=1):
        await rig.reaches(InstallState.DOWNLOADING)
        await rig.pull(OTHER, job="job-2")
        await rig.reaches(InstallState.QUEUED, ref=OTHER, job="job-2")
        await bus.put(rig.js, SETTINGS, DOWNLOADS_KEY, PullLimits(pulls=2))
        await rig.reaches(InstallState.INSTALLED, ref=OTHER, job="job-2")
        await (await rig.js.key_value(SETTINGS.name)).delete(DOWNLOADS_KEY)


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


async def test_outside_its_hours_a_pull_waits_and_a_running_one_goes_on_in_the_next(
    rig: Rig,
) -> None:
    await stalled_pull(rig)
    clock = Clock(NIGHT)
    async with rig.running(limits=PATIENT, pull_hours="22:00-06:00", clock=clock):
        await rig.has_received(STALL)
        clock.at = DAY
        status = await rig.reaches(InstallState.QUEUED)
        assert status.reason == "out of hours"
        assert status.transfer is not None
        assert status.transfer.done_bytes >= STALL
        clock.at = NIGHT
        await installed(rig)


@pytest.mark.parametrize("by_wish", [True, False])
async def test_a_pull_with_now_runs_at_any_hour(rig: Rig, by_wish: bool) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running(pull_hours="22:00-06:00", clock=Clock(DAY)):
        command = PullCommand(model=REF.model, variant=REF.variant, job="job-1", now=not by_wish)
        await rig.js.publish(PULL.of(REF), command.encode(), timeout=5)
        if by_wish:
            assert (await rig.reaches(InstallState.QUEUED)).reason == "out of hours"
            await wish(rig, now=True)
        await installed(rig)


async def test_wishes_are_forgotten_with_their_command(rig: Rig) -> None:
    rig.publish({"model.onnx": CONTENT})
    async with rig.running():
        await wish(rig, now=True)
        await rig.pull()
        await installed(rig)
        async with asyncio.timeout(10):
            while (await entries.read(rig.js, WISHES, REF.key)).value is not None:
                await asyncio.sleep(0.02)
