"""A pull killed right before each of its calls that change something, one after the other."""

import random
import shutil
import signal
from collections import Counter

import pytest

from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.faults.worker import TRACING, traced
from tests.integration.downloader.rig import REF

MIB = 1 << 20
FILES: Files = {
    "config.json": random.Random(1).randbytes(3000),
    "model.onnx": random.Random(2).randbytes(3 * MIB),
    "voices/one.bin": random.Random(3).randbytes(MIB // 2),
}
# The default run looks at so many of the calls of each kind.
ONE_IN = 8
# A call may not come a second time, when a heartbeat falls elsewhere.
AT_LEAST = 0.9


class Sweep:
    def __init__(self, rig: FaultRig) -> None:
        rig.publish(FILES)
        self._rig = rig
        self._volume = rig.volume({REF: FILES})
        self.kills: Counter[str] = Counter()

    async def calls(self) -> list[str]:
        """Those of a pull that nobody kills, from its process's start to its end."""
        _, calls = await self._pull("-", 0)
        return calls

    async def kill_at(self, name: str, number: int) -> None:
        """Kill one at this call, look, and let another finish the job."""
        killed_at, _ = await self._pull(name, number)
        if killed_at:
            self.kills[killed_at] += 1
        self._volume.check_installs()
        await self._rig.ten_seconds_pass()
        (heir,) = await self._rig.at_work("heir")
        await self._rig.installs("job-1")
        assert await heir.end() == 0
        self._volume.check_installed(REF)
        self._volume.check_no_orphans()

    async def _pull(self, name: str, number: int) -> tuple[str, list[str]]:
        """One pull from nothing, by one process; the call it died at, and all there were.

        The n-th of its name: among calls of all names a thread's place changes with each run.
        """
        rig = self._rig
        shutil.rmtree(rig.root)
        rig.root.mkdir()
        await rig.forget()
        await rig.pull()
        worker = rig.worker()
        async with traced(worker, *TRACING, "kill", name, str(number)) as told:
            worker.go()
            while worker.is_alive and not await rig.has_ended("job-1"):
                pass
            code = await worker.end()
        assert code == (-signal.SIGKILL if told.killed_at else 0), rig.log
        return told.killed_at, told.calls


def every(step: int, calls: list[str]) -> list[tuple[str, int]]:
    """The first call of each name, and every so-many-th of its name after that."""
    chosen, seen = [], Counter[str]()
    for name in calls:
        if seen[name] % step == 0:
            chosen.append((name, seen[name] + 1))
        seen[name] += 1
    return chosen


@pytest.mark.usefixtures("can_trace")
@pytest.mark.parametrize(
    "step", [ONE_IN, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"]
)
async def test_a_pull_killed_at_any_call_leaves_nothing_corrupt_half_or_lost(
    rig: FaultRig, step: int
) -> None:
    sweep = Sweep(rig)
    calls = await sweep.calls()
    chosen = every(step, calls)
    for name, number in chosen:
        await sweep.kill_at(name, number)
    print(f"{sweep.kills.total()} kills in {len(calls)} calls: {dict(sweep.kills)}")
    assert sweep.kills.total() >= AT_LEAST * len(chosen)
    assert {"sendto", "write", "mkdir", "fsync", "rename"} <= set(sweep.kills)
