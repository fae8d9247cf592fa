"""A runner: the process that a model lives in, started by the service and ending with it.

    python -m sirene_inference.runner_process PARENT_PID [SOCKET MODULE…]

Commands come on stdin, answers leave on stdout (pipe.py); what it has to say goes to stderr. With a
socket it is a template instead, and each process that it forks is such a runner (template.py).
"""

import ctypes
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from sirene_inference import template
from sirene_inference.offline import go_offline

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
# At most 15 bytes, as `ps` and `top` show them.
RUNNER_NAME, TEMPLATE_NAME = "sirene-runner", "sirene-template"
# Where memory runs out, the kernel ends a runner, which is loaded anew, before anything else.
OOM_SCORE = 500


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` dies, however that dies.

    The end of stdin says so too, but only to a process that still runs Python.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        os._exit(1)


def name_process(name: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def offer_to_the_oom_killer() -> None:
    score = Path("/proc/self/oom_score_adj")
    with suppress(OSError):
        if int(score.read_text()) < OOM_SCORE:
            score.write_text(str(OOM_SCORE))


def main() -> None:
    die_with(int(sys.argv[1]))
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s: %(message)s")
    if len(sys.argv) > 2:
        name_process(TEMPLATE_NAME)
        forker = os.getpid()
        template.serve(socket.socket(fileno=int(sys.argv[2])), sys.argv[3:])
        die_with(forker)
    run()


def run() -> None:
    name_process(RUNNER_NAME)
    offer_to_the_oom_killer()
    go_offline()
    # With numpy, which may start threads: the template says how it is imported.
    from sirene_inference.worker import Worker

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
