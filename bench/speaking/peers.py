"""The peers, in an environment of their own: they are no dependencies of Sirene."""

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from bench.speaking.client import Client
from bench.speaking.heard import Heard, Speaker
from sirene_inference.kokoro.files import STYLE_SIZE
from tests.support.waiting import until_true

# piper-tts's server needs onnx for the alignments that it always asks for.
PACKAGES = ("piper-tts[http,alignment]==1.8.0", "kokoro-onnx==0.6.1")
NEEDED = "import flask, kokoro_onnx, onnx, piper.http_server"
# Run there: kokoro-onnx is not here.
KOKORO_PEER = Path(__file__).with_name("kokoro_peer.py")
START_S = 60.0


def make(folder: Path) -> None:
    """An environment with both, unless there is one."""
    python = folder / "bin" / "python"
    if python.exists() and subprocess.run([python, "-c", NEEDED], check=False).returncode == 0:
        return
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)


@contextmanager
def piper_server(environment: Path, voice: Path, folder: Path) -> Iterator[Client]:
    """piper-tts's own HTTP server with `voice`. folder: where it may write."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = ["-m", "piper.http_server", "-m", str(voice.resolve()), "--host", "127.0.0.1"]
    with (folder / "piper-server.log").open("wb") as log:
        process = subprocess.Popen(
            [environment / "bin" / "python", *words, "--port", str(port)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/info", process)
        yield Client("127.0.0.1", port, "/synthesize", lambda text: {"text": text})
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def kokoro_onnx(environment: Path, graph: Path, voice: Path, folder: Path) -> Iterator[Speaker]:
    """kokoro-onnx with its own settings, in a process of its own. voice: the file of one."""
    style = np.fromfile(voice, "<f4").reshape(-1, 1, STYLE_SIZE)
    np.savez(folder / "voices.npz", allow_pickle=False, **{voice.stem: style})
    process = subprocess.Popen(
        [
            environment / "bin" / "python",
            KOKORO_PEER,
            graph,
            folder / "voices.npz",
            voice.stem,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    asked, told = process.stdin, process.stdout
    assert told.readline() == "ready\n"

    def speak(text: str) -> Heard:
        print(json.dumps(text), file=asked, flush=True)
        return Heard(*json.loads(told.readline()))

    try:
        yield speak
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    def answers() -> bool:
        assert process.poll() is None, "the peer's server has ended"
        with suppress(urllib.error.URLError), urllib.request.urlopen(url):
            return True
        return False

    assert until_true(answers, within_s=START_S), "the peer's server does not answer"
