"""A Piper graph whole, and the same one cut in front of its decoder, in this process."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.speaking.heard import Heard, Speaker, listen
from sirene_inference import piper_config
from sirene_inference.backends import Audio
from sirene_inference.cancellation import Cancellation
from sirene_inference.espeak import Espeak
from sirene_inference.onnx_file import read_model
from sirene_inference.onnx_session import OnnxSession
from sirene_inference.pace import Lead
from sirene_inference.piper_graph import Inputs, SplitGraph, WholeGraph, open_graph
from sirene_inference.text import sentences


class Sentences:
    """A voice without its noise, so that both graphs make the same samples of a text."""

    def __init__(self, config: piper_config.PiperConfig, espeak: Espeak) -> None:
        self._config = config
        self._ids = piper_config.PhonemeIds(config)
        self._espeak = espeak
        self.last: dict[WholeGraph | SplitGraph, Audio] = {}

    def by(self, graph: WholeGraph | SplitGraph) -> Speaker:
        def speak(text: str) -> Heard:
            pieces: list[Audio] = []
            heard = listen(self._kept(graph, text, pieces), self._config.audio.sample_rate)
            self.last[graph] = np.concatenate(pieces)
            return heard

        return speak

    def difference(self) -> float:
        """The largest between the graphs' samples of the last text."""
        one, other = self.last.values()
        return float(np.abs(one - other).max())

    def _kept(
        self, graph: WholeGraph | SplitGraph, text: str, into: list[Audio]
    ) -> Iterator[Audio]:
        lead = Lead()
        for sentence in sentences(text, self._config.espeak.voice):
            ids = self._ids(self._espeak.phonemize(sentence))
            asked: Inputs = {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array([0, self._config.inference.length_scale, 0], np.float32),
                **({"sid": np.array([0], np.int64)} if self._config.speakers else {}),
            }
            for piece in graph.speak(asked, Cancellation(), lead):
                into.append(piece)
                yield piece


class Both(NamedTuple):
    speakers: dict[str, Speaker]
    difference: Callable[[], float]


@contextmanager
def whole_and_cut(voice: Path, threads: int) -> Iterator[Both]:
    config = piper_config.parse(Path(f"{voice}.json").read_bytes(), voice.name)
    body = read_model(voice, voice.name)
    session = OnnxSession(body, voice.name, wants_cuda=False, threads=threads)
    whole = WholeGraph(session, lambda: session)
    rate = config.audio.sample_rate
    read = partial(read_model, voice, voice.name)
    cut = open_graph(read, voice.name, rate, wants_cuda=False, threads=threads)
    assert isinstance(cut, SplitGraph), "this graph cannot be cut"

    with closing(Espeak(config.espeak.voice)) as espeak:
        said = Sentences(config, espeak)
        yield Both({"whole": said.by(whole), "cut": said.by(cut)}, said.difference)
