"""The whole product as a user runs it: `sirene up` on an empty directory, and its API over HTTP."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from sirene_cli.sse import Event, EventReader
from tests.support.inference import is_runner
from tests.support.waiting import until_true

SIRENE = Path(sys.executable).with_name("sirene")
START_S = 60.0
STOP_S = 30.0
# Longer than any answer here takes; a hang is a failure, not a wait for ever.
ANSWER_S = 60.0


class Product:
    """folder: everything it writes lies here; environ: what the user has set."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.data = folder / "data"
        self._log = folder / "sirene.log"
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            **environ,
        }
        self.url = ""
        self.http = httpx.Client(timeout=ANSWER_S, trust_env=False)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def models(self) -> Path:
        return self.data / "models"

    def start(self) -> None:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [SIRENE, "up", "--port", "0", "--data", self.data],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        # Written when everything is ready.
        assert until_true(
            lambda: self._address().exists() or process.poll() is not None, within_s=START_S
        ), self.log()
        assert process.poll() is None, self.log()
        self.url = self._address().read_text().strip()
        self.http.base_url = httpx.URL(self.url)

    def stop(self) -> None:
        """As Ctrl-C does; everything must be gone after it."""
        assert self._process is not None
        children = self.processes()
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(timeout=STOP_S) == 0, self.log()
        _, alive = psutil.wait_procs(children, timeout=2)
        assert not alive, f"left behind: {alive}"
        self.http.close()

    def abandon(self) -> None:
        """For the end of a failed test."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=STOP_S)
        self.http.close()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def processes(self, module: str = "") -> list[psutil.Process]:
        """Every process below `sirene up`; module: only those that run this module."""
        assert self._process is not None
        below = psutil.Process(self._process.pid).children(recursive=True)
        return [process for process in below if not module or module in _words(process)]

    def runners(self) -> list[psutil.Process]:
        return [process for process in self.processes() if is_runner(process)]

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `sirene …` as the same user would."""
        environ = {**self._environ, "SIRENE_DATA": str(self.data)}
        return subprocess.run(
            [SIRENE, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=ANSWER_S,
            check=False,
        )

    def get(self, path: str) -> Any:
        return self.http.get(path).raise_for_status().json()

    def state(self, model_id: str) -> str:
        return str(self.get(f"/api/models/{model_id}")["state"])

    def pull(self, model_id: str) -> list[Event]:
        """Install a model as an EventSource does; the events until the stream ends."""
        with self.following(model_id) as following:
            return list(following)

    @contextmanager
    def following(self, model_id: str) -> Iterator[Iterator[Event]]:
        with self.http.stream("GET", f"/api/models/{model_id}/pull") as response:
            response.raise_for_status()
            yield EventReader().read(response.iter_raw())

    def speak(self, text: str, model: str, **fields: Any) -> bytes:
        body = {"model": model, "input": text, "voice": "default", "response_format": "wav"}
        answer = self.http.post("/v1/audio/speech", json=body | fields)
        assert answer.is_success, f"{answer.text}\n{self.log()}"
        return answer.content

    def _address(self) -> Path:
        return self.data / "run" / "url"


def data(event: Event) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(event.data)
    return decoded


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
