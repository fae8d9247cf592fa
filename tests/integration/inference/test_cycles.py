"""Models loaded and unloaded over and over: nothing stays behind."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.integration.inference.conftest import Start
from tests.support.inference import Inference, InferenceProcess
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until

MB = 1e6
# What the first loads bring for good: code that is imported, pools that are filled.
WARM_UP = 10


def memory_bytes(process: InferenceProcess) -> int:
    """Of the service and all below it, shared pages counted once."""
    everything = [psutil.Process(process.pid), *process.children()]
    return sum(each.memory_full_info().pss for each in everything)


def own_bytes(process: InferenceProcess) -> int:
    """The same without pages of files: how many processes those are shared by is also other
    programs' doing, and none of them is ever left behind."""
    everything = [psutil.Process(process.pid), *process.children()]
    return sum(_own(each.pid) for each in everything)


def _own(pid: int) -> int:
    """As the kernel adds it up, in kB a line."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    found = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)
    }
    return 1024 * (found["Pss_Anon"] + found["Pss_Shmem"] + found["SwapPss"])


def descriptors(process: InferenceProcess) -> int:
    return sum(each.num_fds() for each in [psutil.Process(process.pid), *process.children()])


@pytest.mark.parametrize("cycles", [20, pytest.param(200, marks=pytest.mark.slow)])
async def test_memory_descriptors_and_processes_are_back_after_each_unload(
    start: Start, volume: ModelsVolume, inference: Inference, cycles: int
) -> None:
    refs = [volume.add_piper("en_US-tiny"), volume.add_tone("large", memory_bytes=30_000_000)]
    process = start()
    await inference.ready(process)

    async def cycle() -> int:
        """Bytes of the service's own that are in use afterwards."""
        for ref in refs:
            assert not (await inference.load(ref)).error
            await inference.speak(ref, "A fine day")
        before = memory_bytes(process)
        told = [await inference.unload(ref) for ref in refs]
        await until(lambda: process.runners() == [])
        freed, after = sum(each.freed_bytes for each in told), memory_bytes(process)
        # What the answers say is what came back.
        assert abs(before - after - freed) < max(0.05 * before, 20 * MB)
        return own_bytes(process)

    for _ in range(WARM_UP):
        await cycle()
    processes, open_files = len(process.children()), descriptors(process)
    used = [await cycle() / MB for _ in range(cycles)]
    slope = np.polyfit(range(cycles), used, 1)[0]
    print(f"{cycles} cycles: {slope:.3f} MB each, from {used[0]:.1f} to {used[-1]:.1f} MB")
    assert slope < 0.1
    # A runner is gone a moment before its pipes are closed.
    await until(lambda: len(process.children()) == processes)
    await until(lambda: descriptors(process) <= open_files)
