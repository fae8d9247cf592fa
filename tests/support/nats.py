"""A real nats-server for tests: started, killed, wiped and started again."""

import os
import signal
import subprocess
import urllib.request
from pathlib import Path

from sirene_cli.nats_server import find_server, ports, write_config
from tests.support.waiting import until_true

START_S = 20


class NatsServer:
    """One nats-server on a free port, with its store in `folder`; the port survives restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._port = -1
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "NatsServer":
        config = write_config(self.folder, port=self._port)
        self._process = subprocess.Popen([find_server(), "-c", config], stderr=subprocess.DEVNULL)
        process = self._process
        if until_true(lambda: self._is_up() or process.poll() is not None, within_s=START_S):
            told = ports(self.folder)
            if told and process.poll() is None:
                self.url = told[0]
                self._port = int(self.url.rpartition(":")[2])
                return self
        raise RuntimeError((self.folder / "nats.log").read_text()[-2000:])

    def _is_up(self) -> bool:
        told = ports(self.folder)
        return told is not None and _healthy(told[1])

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """It keeps its sockets and answers nothing; thaw() lets it go on."""
        os.kill(self.pid, signal.SIGSTOP)
        stat = Path(f"/proc/{self.pid}/stat")
        assert until_true(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(timeout=START_S)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


def _healthy(monitoring: str) -> bool:
    try:
        with urllib.request.urlopen(f"{monitoring}/healthz?js-enabled-only=true", timeout=1):
            return True
    except OSError:
        return False
