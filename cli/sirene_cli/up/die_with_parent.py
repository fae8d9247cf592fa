"""Run a program that the kernel ends when this process's parent dies (Linux).

`python -IS die_with_parent.py PARENT PROGRAM [ARGUMENT…]`, by itself and with the standard
library alone, so that it takes milliseconds. PARENT is the parent's process id.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(arguments[0]):  # it died before prctl could see it
        sys.exit(1)
    # Python ignores these two, and what is ignored stays so over an exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execvp(arguments[1], arguments[1:])  # noqa: S606 - this program becomes that one


if __name__ == "__main__":
    main(sys.argv[1:])
