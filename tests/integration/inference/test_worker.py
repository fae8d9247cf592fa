"""The runner's side of the pipe, in this process: a real voice behind its commands."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from sirene_inference import leftovers, memory, pipe
from sirene_inference.worker import Worker
from sirene_shared.manifest import load_catalogue
from tests.support.models_volume import ModelsVolume
from tests.support.waiting import until_true

LONG = "and so it went on and on " * 12


class Runner:
    """The service's ends of a worker's pipes."""

    def __init__(self) -> None:
        commands, self._commands = _pipe()
        self._answers, answers = _pipe()
        self._streams = (commands, self._answers, answers)
        self._worker = Worker(answers)
        self._serving = threading.Thread(target=self._worker.serve, args=[commands])
        self._serving.start()

    def ask(self, command: pipe.Command) -> pipe.Answer:
        """What it comes to in the end."""
        self._commands.write(pipe.encode(command))
        self._commands.flush()
        while True:
            received = pipe.read(self._answers, pipe.answers)
            assert received is not None
            if not isinstance(received[0], pipe.Chunk | pipe.Working):
                return received[0]

    def close(self) -> None:
        self._commands.close()
        self._serving.join(10)
        self._worker.close()
        for stream in self._streams:
            stream.close()


@pytest.fixture
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


def test_what_a_speech_took_is_given_back_once_it_is_quiet(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = ModelsVolume(tmp_path / "data")
    ref = volume.add_vits("small")
    manifest = load_catalogue(volume.manifests)[ref.model]
    folder = volume.root / ref.model / ref.variant
    files = {
        file.path: str(folder / file.path) for file in manifest.variants[ref.variant].file_list
    }
    loaded = runner.ask(
        pipe.Load(
            id=1,
            model=ref.id,
            manifest=manifest,
            variant=ref.variant,
            files=files,
            device="cpu",
            threads=1,
        )
    )
    assert isinstance(loaded, pipe.Loaded)
    before = memory.measure(os.getpid())
    said = runner.ask(_speak(ref.id, LONG, id=2))
    taken = memory.measure(os.getpid()) - before
    assert isinstance(said, pipe.Ended)
    assert taken > 40e6
    monkeypatch.setattr(leftovers, "QUIET_S", 0.0)
    runner.ask(_speak(ref.id, "So.", id=3))
    assert until_true(lambda: memory.measure(os.getpid()) - before < taken / 2)


def _speak(model: str, text: str, *, id: int) -> pipe.Speak:
    return pipe.Speak(
        id=id,
        model=model,
        text=text,
        voice="",
        language="",
        speed=0.25,
        seed=None,
        sample_rate=None,
        frame_bytes=32_000,
        credit=1_000,
    )


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    """Its end to read from, and the one to write to."""
    read, write = os.pipe()
    return os.fdopen(read, "rb"), os.fdopen(write, "wb")
