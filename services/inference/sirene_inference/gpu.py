"""What `nvidia-smi` tells of the GPU's memory; nothing where there is none."""

import subprocess
from collections.abc import Collection

ANSWER_S = 10.0
MEBIBYTE = 1 << 20


def total() -> int:
    """Bytes of the first GPU, the one that models are put on; 0 when there is none."""
    rows = _ask("--query-gpu=memory.total")
    return _bytes(rows[0][0]) if rows else 0


def measure(pids: Collection[int]) -> int:
    """Bytes that these processes take on GPUs; 0 also where a container hides who they are."""
    rows = _ask("--query-compute-apps=pid,used_gpu_memory")
    return sum(_bytes(row[1]) for row in rows if len(row) > 1 and row[0] in map(str, pids))


def _ask(query: str) -> list[list[str]]:
    try:
        told = subprocess.run(
            ["nvidia-smi", query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=ANSWER_S,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [[cell.strip() for cell in line.split(",")] for line in told.splitlines() if line]


def _bytes(mebibytes: str) -> int:
    return int(mebibytes) * MEBIBYTE if mebibytes.isdigit() else 0  # it may say [N/A]
