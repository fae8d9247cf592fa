"""A small VITS voice as a graph that speaks: whole, or cut and run in windows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sirene_inference.backends import Audio
from sirene_inference.onnx_file import read_model
from sirene_inference.onnx_session import OnnxSession
from sirene_inference.pace import Pace
from sirene_inference.piper_graph import SplitGraph, WholeGraph
from sirene_inference.piper_split import Split
from tests.support import vits_voice
from tests.support.piper_voice import SAMPLE_RATE, SYMBOLS
from tests.support.vits_voice import HOP, MOST_FRAMES

LENGTHS = (7, 41, 160, 700)


def body(path: Path, **options: Any) -> bytes:
    return read_model(vits_voice.build(path / "voice.onnx", **options), "voice.onnx")


def session(model: bytes) -> OnnxSession:
    return OnnxSession(model, "voice.onnx", wants_cuda=False, threads=1)


def whole_of(model: bytes) -> WholeGraph:
    return WholeGraph(session(model), lambda: session(model))


class Windows(Pace):
    """Of one size, however fast they are made."""

    def __init__(self, size: int) -> None:
        super().__init__(HOP / SAMPLE_RATE, MOST_FRAMES)
        self.size = size

    def next(self, lead_s: float, left: int) -> int:
        return min(self.size, left)


def in_windows(cut: Split, size: int) -> SplitGraph:
    return paced(cut, Windows(size))


def paced(cut: Split, pace: Pace) -> SplitGraph:
    encoder, decoder = session(cut.encoder), session(cut.decoder)
    return SplitGraph(encoder, decoder, cut, pace, lambda: session(cut.encoder))


def inputs(ids: int, *, speaker: int | None = None, noise: float = 0.667) -> dict[str, Any]:
    drawn = np.random.default_rng(ids).integers(3, len(SYMBOLS), (1, ids))
    given = {
        "input": drawn,
        "input_lengths": np.array([ids]),
        "scales": np.array([noise, 1.0, noise], np.float32),
    }
    return given if speaker is None else given | {"sid": np.array([speaker])}


def joined(pieces: Iterator[Audio]) -> Audio:
    audio: Audio = np.concatenate(list(pieces))
    return audio
