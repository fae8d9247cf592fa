"""A process that cannot reach the network, whatever a library or a file in it would like.

Linux refuses it every new socket of the internet's families from here on, and so its children; what
it was given before, and sockets within the machine, go on. It cannot be undone.
"""

import ctypes
import errno
import logging
import os
import platform
import socket
import struct
import sys
from typing import NamedTuple

log = logging.getLogger(__name__)

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
# What the filter sees, from linux/seccomp.h: number, architecture, address, arguments.
NUMBER_AT, ARCHITECTURE_AT, ARGUMENT_AT = 0, 4, 16
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
# Instructions of the filter, from linux/bpf_common.h.
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
IO_URING_SETUP = 425
# x86's second set of numbers, for 32-bit pointers.
X32 = 0x40000000


class Machine(NamedTuple):
    architecture: int
    socket: int
    """The number of the call."""


MACHINES = {"x86_64": Machine(0xC000003E, 41), "aarch64": Machine(0xC00000B7, 198)}


def go_offline(machine_name: str = "") -> bool:
    """Whether the system does so. Call it before the process has a second thread.

    machine_name: as the system calls it; empty: this one.
    """
    machine = MACHINES.get(machine_name or platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    code = _filter(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: how many instructions, and where.
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    no = ctypes.c_ulong(0)
    done: bool = prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), no, no, no) == 0 and (
        prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.c_char_p(program)) == 0
    )
    if not done:
        reason = os.strerror(ctypes.get_errno())
        log.info("the system does not keep this runner off the network: %s", reason)
    return done


def _filter(machine: Machine) -> bytes:
    """struct sock_filter[]: what to do, where to go when true and when false, and with what."""
    instructions = (
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_EQUAL, 0, 8, machine.architecture),
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_AT_LEAST, 6, 0, X32),
        # It could make sockets, too, unseen.
        (JUMP_EQUAL, 5, 0, IO_URING_SETUP),
        (JUMP_EQUAL, 0, 3, machine.socket),
        (LOAD, 0, 0, ARGUMENT_AT),
        (JUMP_EQUAL, 2, 0, socket.AF_INET),
        (JUMP_EQUAL, 1, 0, socket.AF_INET6),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    )
    return b"".join(struct.pack("HBBI", *each) for each in instructions)
