"""Break a process at its n-th call that changes something, whichever of its threads makes it.

    python tracing.py kill NAME N PID     kill it right before its n-th call of this name; 0: count
    python tracing.py full FOLDER N PID   from that call on, FOLDER's volume is full until we leave
    python tracing.py stop PATH N PID     stop it right before its n-th rename from or to PATH, say
                                          "stopped", and go on at SIGCONT to it, then SIGUSR1 to us

It says "ready", and at the process's end which calls there were, in their order. strace's
injection counts for each thread apart, and so cannot name every call of threads that share the
work; this counts them together, by ptrace.
"""

import ctypes
import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

SEIZE, INTERRUPT, LISTEN, SYSCALL_INFO, SYSCALL, POKE = 0x4206, 0x4207, 0x4208, 0x420E, 24, 6
# TRACESYSGOOD, TRACEFORK, TRACEVFORK, TRACECLONE
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8
EVENT_STOP = 128
ENTRY, EXIT = 1, 2
WAIT_ALL = 0x40000000
CREATES = os.O_CREAT | os.O_TRUNC
# Where x86-64 keeps a call's result and its number.
RESULT, NUMBER = 80, 120
# Numbers of x86-64.
CALLS = {
    1: "write", 2: "open", 18: "pwrite64", 20: "writev", 40: "sendfile", 44: "sendto",
    46: "sendmsg", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate", 82: "rename",
    83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 88: "symlink", 257: "openat",
    258: "mkdirat", 263: "unlinkat", 264: "renameat", 265: "linkat", 266: "symlinkat",
    275: "splice", 277: "sync_file_range", 285: "fallocate", 296: "pwritev", 316: "renameat2",
    326: "copy_file_range", 328: "pwritev2",
}  # fmt: skip
FLAGS = {"open": 1, "openat": 2}
TAKES_SPACE_AT = frozenset({"open", "openat", "rename", "renameat", "renameat2", "mkdir", "mkdirat",
                            "link", "linkat", "symlink", "symlinkat"})  # fmt: skip
# Which argument is the file that grows.
TAKES_SPACE_IN = {
    "write": 0, "pwrite64": 0, "writev": 0, "pwritev": 0, "pwritev2": 0, "sendfile": 0, "fsync": 0,
    "fdatasync": 0, "sync_file_range": 0, "fallocate": 0, "splice": 2, "copy_file_range": 2,
}  # fmt: skip
# Which arguments of a rename are its paths.
RENAMED = {"rename": (0, 1), "renameat": (1, 3), "renameat2": (1, 3)}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Call(ctypes.Structure):
    _fields_ = [
        ("op", ctypes.c_uint8),
        ("padding", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    ]

    @property
    def changes(self) -> str:
        """The name of a call that changes something; else empty."""
        name = CALLS.get(self.number, "")
        if name in FLAGS and not self.arguments[FLAGS[name]] & CREATES:
            return ""
        if name == "sendto" and self.arguments[2] == 1:
            return ""  # a thread wakes its own event loop
        return name


Decision = Callable[[int, Call], bool]


def trace(request: int, thread: int, address: int = 0, data: object = None) -> bool:
    return libc.ptrace(request, thread, address, data) >= 0


class Tracer:
    def __init__(self, process: int) -> None:
        self._process = process
        self._refused: set[int] = set()
        self._held: int | None = None
        self.seen: list[str] = []

    def go_on(self, *_: object) -> None:
        if self._held is not None:
            thread, self._held = self._held, None
            trace(SYSCALL, thread)

    def follow(self, kills: Decision, refuses: Decision, stops: Decision) -> str:
        """Until it ends, or the call that it was killed right before."""
        if not trace(SEIZE, self._process, 0, OPTIONS):
            raise OSError(ctypes.get_errno(), "it may not be traced")
        for thread in Path(f"/proc/{self._process}/task").iterdir():
            if int(thread.name) != self._process:
                trace(SEIZE, int(thread.name), 0, OPTIONS)
            trace(INTERRUPT, int(thread.name))
        print("ready", flush=True)
        while True:
            thread, status = os.waitpid(-1, WAIT_ALL)
            if not os.WIFSTOPPED(status):
                if thread == self._process:
                    return ""
                continue
            stopped_by, passed_on = os.WSTOPSIG(status), 0
            if stopped_by == signal.SIGTRAP | 0x80:
                name = self._look(thread, kills, refuses, stops)
                if name:
                    return name
                if self._held == thread:
                    continue
            elif status >> 16 == 0:
                passed_on = stopped_by
            elif status >> 16 == EVENT_STOP and stopped_by != signal.SIGTRAP:
                trace(LISTEN, thread)
                continue
            trace(SYSCALL, thread, 0, passed_on)

    def _look(self, thread: int, kills: Decision, refuses: Decision, stops: Decision) -> str:
        call = Call()
        size = ctypes.sizeof(call)
        if not trace(SYSCALL_INFO, thread, size, ctypes.addressof(call)):
            return ""
        if call.op == EXIT and thread in self._refused:
            self._refused.discard(thread)
            trace(POKE, thread, RESULT, -errno.ENOSPC)
        if call.op != ENTRY or not call.changes:
            return ""
        self.seen.append(call.changes)
        if kills(thread, call):
            os.kill(self._process, signal.SIGKILL)
            return call.changes
        if refuses(thread, call):
            self._refused.add(thread)
            trace(POKE, thread, NUMBER, -1)  # no such call: nothing is done
        if stops(thread, call):
            self._held = thread
            os.kill(self._process, signal.SIGSTOP)
            print("stopped", flush=True)
        return ""


def takes_space(folder: str, thread: int, call: Call) -> bool:
    name = call.changes
    if name in TAKES_SPACE_IN:
        descriptor = call.arguments[TAKES_SPACE_IN[name]]
        return str(Path(f"/proc/{thread}/fd/{descriptor}").readlink()).startswith(folder)
    return name in TAKES_SPACE_AT


def renames(path: str, thread: int, call: Call) -> bool:
    """From or to this path, given whole."""
    if call.changes not in RENAMED:
        return False
    with Path(f"/proc/{thread}/mem").open("rb") as memory:
        for argument in RENAMED[call.changes]:
            memory.seek(call.arguments[argument])
            if memory.read(len(path) + 1) == path.encode() + b"\0":
                return True
    return False


def main(mode: str, *arguments: str) -> None:
    *places, number, process = arguments
    tracer, taken, renamed = Tracer(int(process)), 0, 0
    signal.signal(signal.SIGUSR1, tracer.go_on)

    def kills(thread: int, call: Call) -> bool:
        if mode != "kill" or call.changes != places[0]:
            return False
        return tracer.seen.count(call.changes) == int(number)

    def refuses(thread: int, call: Call) -> bool:
        nonlocal taken
        if mode != "full" or not takes_space(places[0], thread, call):
            return False
        taken += 1
        return taken >= int(number)

    def stops(thread: int, call: Call) -> bool:
        nonlocal renamed
        if mode != "stop" or not renames(places[0], thread, call):
            return False
        renamed += 1
        return renamed == int(number)

    killed_at = tracer.follow(kills, refuses, stops)
    print(f"{killed_at or '-'} {json.dumps(tracer.seen)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
