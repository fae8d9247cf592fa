"""Ends whole sessions of processes when the process that reports them dies, however it dies.

`python -IS undertaker.py GRACE_S`: reads `+LEADER` and `-LEADER` lines from standard input. At its
end every leader gets SIGTERM and, when it has ended or after the grace, its session SIGKILL. It
works where the kernel sends no signal at a parent's death, and reaches children that ignore one
and what those had started.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

# They are no children of this process: their end is seen by looking alone.
LOOK_S = 0.05


def main(lines: Iterable[str], grace_s: float) -> None:
    # A terminal's Ctrl-C and hangup, and a polite end of everything, must not take this one first.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    leaders: set[int] = set()
    for line in lines:
        sign, leader = line[0], int(line[1:])
        (leaders.add if sign == "+" else leaders.discard)(leader)
    for leader in leaders:
        _send(os.kill, leader, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while leaders and time.monotonic() < deadline:
        for leader in [leader for leader in leaders if not _send(os.kill, leader, 0)]:
            end_session(leader)
            leaders.discard(leader)
        time.sleep(LOOK_S)
    for leader in leaders:
        end_session(leader)


def end_session(leader: int) -> None:
    """SIGKILL for `leader`, its group and, where /proc tells them, the other groups of its session:
    a service may have started processes in groups of their own."""
    _send(os.killpg, leader, signal.SIGKILL)
    if sys.platform == "linux":
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _session(int(entry.name)) == leader:
                _send(os.kill, int(entry.name), signal.SIGKILL)


def _session(process: int) -> int | None:
    try:
        return os.getsid(process)
    except OSError:  # it has ended meanwhile
        return None


def _send(kill: Callable[[int, int], None], target: int, number: int) -> bool:
    """Whether there is such a target."""
    try:
        kill(target, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


if __name__ == "__main__":
    main(sys.stdin, float(sys.argv[1]))
