"""A template: a process that has imported what runners import, and makes runners by forking.

Importing numpy and onnxruntime takes a quarter of a second, torch two; a fork takes milliseconds,
and shares what was imported. The template does nothing else: it loads no model, and it never has a
thread, since a lock that another thread holds at the fork would stay locked in the runner for ever.

It speaks with the service over a socket of packets, one message in each (MessagePack).
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

# A runner's stdin, stdout and stderr.
STREAMS = 3
MAX_MESSAGE_BYTES = 4096


class Fork(msgspec.Struct, frozen=True, tag=True):
    """Asked by the service, with a runner's three streams attached. Answered by Forked."""

    id: int


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The template's first message."""

    threads: int
    """More than one, and it must not be forked."""


class Forked(msgspec.Struct, frozen=True, tag=True):
    id: int
    pid: int
    """0: the system has no room for another process."""


class Ended(msgspec.Struct, frozen=True, tag=True):
    pid: int
    status: int
    """Negative for a signal."""


Message = Ready | Forked | Ended
messages = msgspec.msgpack.Decoder(Message)
requests = msgspec.msgpack.Decoder(Fork)


def serve(control: socket.socket, modules: Sequence[str]) -> None:
    """Fork whenever asked. Returns in each runner, its streams in place; in the template, never.

    modules: what runners would import. One that cannot be imported is left to them.
    """
    _import(modules)
    gc.collect()
    gc.freeze()  # else the first collection in a runner would copy every page
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    try:
        _tell(control, Ready(len(list(Path("/proc/self/task").iterdir()))))
        while True:
            ready, _, _ = select.select([control.fileno(), woken], [], [])
            if woken in ready:
                os.read(woken, MAX_MESSAGE_BYTES)
                _reap(control)
            if control.fileno() in ready:
                body, streams, _, _ = socket.recv_fds(control, MAX_MESSAGE_BYTES, STREAMS)
                if not body:
                    os._exit(0)
                if _fork(control, requests.decode(body), streams):
                    break
    except BrokenPipeError:  # the service is gone
        os._exit(1)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for descriptor in (woken, wake):
        os.close(descriptor)
    control.close()
    _be_different()


def _import(modules: Sequence[str]) -> None:
    # The linear algebra of numpy starts its threads when it is imported. It is given back what the
    # environment says afterwards: torch has one of its own, which is to have its threads.
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    importlib.import_module("numpy")
    if before is None:
        del os.environ["OPENBLAS_NUM_THREADS"]
    else:
        os.environ["OPENBLAS_NUM_THREADS"] = before
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            continue


def _fork(control: socket.socket, request: Fork, streams: Sequence[int]) -> bool:
    """Whether this is the new process."""
    try:
        pid = os.fork()
    except OSError:
        pid = -1
    if pid == 0:
        os.setpgid(0, 0)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
    elif pid > 0:
        # Here too: whoever is told of the process may end its group at once.
        os.setpgid(pid, pid)
    for descriptor in streams:
        os.close(descriptor)
    if pid:
        _tell(control, Forked(request.id, max(0, pid)))
    return not pid


def _reap(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell(control, Ended(pid, os.waitstatus_to_exitcode(status)))


def _be_different() -> None:
    """Draw other random numbers than the runners before."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if onnxruntime := sys.modules.get("onnxruntime"):
        onnxruntime.set_seed(int.from_bytes(os.urandom(4)) >> 1)
    if torch := sys.modules.get("torch"):
        torch.seed()


def _tell(control: socket.socket, message: Message) -> None:
    control.send(msgspec.msgpack.encode(message))
