"""How much memory a runner takes: measured over it and what it started."""

import psutil


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
    return int(psutil.virtual_memory().total)


def available() -> int:
    return int(psutil.virtual_memory().available)


def _own(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
