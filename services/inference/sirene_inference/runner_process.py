"""A runner: the process that a model lives in, started by the service and ending with it.

    python -m sirene_inference.runner_process PARENT_PID

Commands come on stdin, answers leave on stdout (pipe.py); what it has to say goes to stderr.
"""

import ctypes
import logging
import os
import signal
import sys

from sirene_inference.worker import Worker

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the service dies, however that dies.

    The end of stdin says so too, but only to a process that still runs Python.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)


def main() -> None:
    die_with(int(sys.argv[1]))
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s: %(message)s")
    # The pipe is ours alone: a library that prints must not garble it.
    commands, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    worker = Worker(answers)
    try:
        worker.serve(commands)
        worker.close()
    finally:
        # Threads inside an engine would hold up a usual exit.
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
