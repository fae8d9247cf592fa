"""A process that went offline reaches nobody beyond the machine."""

import subprocess
import sys

import pytest

from sirene_inference.offline import go_offline

TRY = """
import socket, sys, threading
from sirene_inference.offline import go_offline
listener = socket.create_server(("127.0.0.1", 0))
assert go_offline()
for family in (socket.AF_INET, socket.AF_INET6):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            socket.socket(family, kind)
        except PermissionError:
            print("refused")
here, there = socket.socketpair()
here.send(b"within the machine")
listener.getsockname()
def later():
    try:
        socket.create_connection(listener.getsockname())
    except PermissionError:
        print("refused in a thread")
thread = threading.Thread(target=later); thread.start(); thread.join()
import subprocess
child = "import socket; socket.socket()"
print(subprocess.run([sys.executable, "-c", child], capture_output=True).returncode)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do it")
def test_every_socket_of_the_internet_is_refused_also_to_threads_and_children() -> None:
    command = [sys.executable, "-c", TRY]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = [*["refused"] * 4, "refused in a thread", "1"]
    assert told.stdout.splitlines() == expected, told.stderr


def test_where_it_cannot_be_done_nothing_happens() -> None:
    assert not go_offline("pdp11")
