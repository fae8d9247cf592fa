"""The undertaker, as the process it is."""

import subprocess
import sys

import psutil

from sirene_cli.up import undertaker

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"


def start_deaf(*more: str) -> subprocess.Popen[str]:
    """A process in its own session that ignores SIGTERM."""
    code = "\n".join((DEAF, *more, "signal.pause()"))
    child = subprocess.Popen(
        [sys.executable, "-ISc", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdout
    assert child.stdout.readline() == "deaf\n"
    return child


def bury(report: str) -> None:
    """Let the undertaker hear `report`, and then that its reporter died."""
    argv = [sys.executable, "-IS", undertaker.__file__, "0.1"]
    subprocess.run(argv, input=report, text=True, check=True, timeout=20)


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace() -> None:
    with start_deaf() as child:
        bury(f"+{child.pid}\n")
        assert child.wait(timeout=10) == -9


def test_what_a_dead_leader_left_behind_is_killed() -> None:
    spawn = (
        "import subprocess as s; print(s.Popen(['sleep', '1000'], process_group=0).pid, flush=True)"
    )
    with start_deaf(spawn) as leader:
        assert leader.stdout
        left = psutil.Process(int(leader.stdout.readline()))
        leader.kill()
        leader.wait(timeout=10)
        assert left.is_running()
        bury(f"+{leader.pid}\n")
        left.wait(timeout=10)


def test_a_forgotten_session_is_left_alone() -> None:
    with start_deaf() as child:
        bury(f"+{child.pid}\n-{child.pid}\n")
        assert child.poll() is None
        child.kill()
