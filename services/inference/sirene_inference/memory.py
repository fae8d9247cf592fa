"""How much memory a runner takes: measured over it and what it started."""

from pathlib import Path

import psutil

from sirene_inference import gpu

CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def measure_on(device: str, pid: int) -> int:
    """measure(), or what the process and its children take of the GPU."""
    if device != "cuda":
        return measure(pid)
    try:
        process = psutil.Process(pid)
        return gpu.measure({pid, *(child.pid for child in process.children(recursive=True))})
    except psutil.NoSuchProcess:
        return 0


def measure(pid: int) -> int:
    """Bytes that ending the process and its children would give back; 0 when it is gone.

    Counts what they share with nobody (USS); pages of libraries that others map too are no gain.
    """
    try:
        process = psutil.Process(pid)
        return sum(_own(each) for each in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0


def total() -> int:
    """Bytes of the machine, or fewer that this container may use."""
    total = int(psutil.virtual_memory().total)
    try:
        return min(total, int(CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit: "max"
        return total


def available() -> int:
    return int(psutil.virtual_memory().available)


def _own(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
