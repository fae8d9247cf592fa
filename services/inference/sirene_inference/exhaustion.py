"""Telling that memory ran out: engines say it in many ways, and hardly ever by a type."""

import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# torch's, on any device; known by name, since most runners have no torch.
KINDS = frozenset({"MemoryError", "OutOfMemoryError"})
# What the engines write that have no type for it: onnxruntime, torch on a CPU, cuBLAS, cuDNN.
WORDS = (
    *("bad_alloc", "bad allocation", "failed to allocate memory", "can't allocate memory"),
    *("out of memory", "status_alloc_failed", "cudaerrormemoryallocation"),
)


def is_exhaustion(error: BaseException) -> bool:
    """Whether this, or what it came from, is a lack of memory."""
    return any(
        type(each).__name__ in KINDS
        or (
            type(each).__module__.partition(".")[0] != "sirene_shared"
            and any(word in str(each).lower() for word in WORDS)
        )
        for each in _causes(error)
    )


def give_back() -> None:
    """What a request left that failed for lack of memory is free for the next one."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def kills() -> int:
    """How often the kernel has ended a process for lack of memory, here or on the whole machine."""
    for path in ("/sys/fs/cgroup/memory.events", "/proc/vmstat"):
        with suppress(OSError):
            for line in Path(path).read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__
