"""Piper: VITS voices as published by rhasspy, run by onnxruntime.

A voice is `<name>.onnx` and its config `<name>.onnx.json`. The graph takes phoneme ids and three
scales and gives the audio of a sentence, in windows where its decoder can be cut off
(piper_graph.py). A seed has its encoder opened anew, since an engine is seeded only then.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy
from numpy.typing import NDArray

from sirene_inference import piper_config
from sirene_inference.backends import Audio, Device
from sirene_inference.cancellation import Cancellation
from sirene_inference.espeak import Espeak
from sirene_inference.onnx_file import read_model
from sirene_inference.pace import Lead
from sirene_inference.piper_config import PhonemeIds, PiperConfig
from sirene_inference.piper_graph import SplitGraph, WholeGraph, open_graph
from sirene_inference.piper_split import SPEAKER
from sirene_inference.text import sentences
from sirene_inference.voices import find_voice
from sirene_shared.errors import InvalidRequest, ModelDamaged
from sirene_shared.manifest import Manifest

INPUTS = {"input", "input_lengths", "scales"}


def load(
    files: Mapping[str, Path], manifest: Manifest, variant: str, *, device: Device, threads: int
) -> "PiperVoice":
    """Raises: ModelDamaged, BackendMissing (no espeak-ng)."""
    graph = _only(files, ".onnx")
    config_name = _only(files, ".onnx.json")
    config = piper_config.parse(files[config_name].read_bytes(), config_name)
    # On a CPU by default even beside a GPU: these models are too small to gain from one.
    opened = open_graph(
        partial(read_model, files[graph], graph),
        graph,
        config.audio.sample_rate,
        wants_cuda=device == "cuda",
        threads=threads,
    )
    if opened.inputs != (INPUTS | {SPEAKER} if config.speakers else INPUTS):
        takes = ", ".join(sorted(opened.inputs))
        raise ModelDamaged(f"{graph!r} is no Piper voice: it takes {takes}")
    names = config.speakers or tuple(voice.id for voice in manifest.variants[variant].voices)
    return PiperVoice(opened, config, names or (variant,))


class PiperVoice:
    def __init__(
        self, graph: WholeGraph | SplitGraph, config: PiperConfig, voices: tuple[str, ...]
    ) -> None:
        self._graph = graph
        self._config = config
        self._ids = PhonemeIds(config)
        self._espeak = Espeak(config.espeak.voice) if config.phoneme_type == "espeak" else None
        self.sample_rate = config.audio.sample_rate
        self.voices = voices
        self.device = graph.device

    def speak(
        self,
        text: str,
        *,
        voice: str,
        language: str,
        speed: float,
        seed: int | None,
        cancelled: Cancellation,
    ) -> Iterator[Audio]:
        speaker = self._speaker(voice)
        self._check_language(language)
        graph = self._graph if seed is None else self._graph.seeded(seed)
        has_spoken, lead = False, Lead()
        for sentence in sentences(text, self._config.espeak.voice):
            if cancelled.is_set():
                return
            ids = self._ids(self._espeak.phonemize(sentence) if self._espeak else sentence)
            if not ids:
                continue
            has_spoken = True
            yield from graph.speak(self._inputs(ids, speaker, speed), cancelled, lead)
        if not has_spoken:
            raise InvalidRequest(
                "the text holds nothing that can be spoken",
                hint="Give a text with words.",
                param="input",
            )

    def rest(self) -> None:
        self._graph.give_back()

    def close(self) -> None:
        if self._espeak:
            self._espeak.close()

    def _inputs(
        self, ids: Sequence[int], speaker: int, speed: float
    ) -> dict[str, NDArray[numpy.generic]]:
        scales = self._config.inference
        inputs: dict[str, NDArray[numpy.generic]] = {
            "input": numpy.array([ids], numpy.int64),
            "input_lengths": numpy.array([len(ids)], numpy.int64),
            "scales": numpy.array(
                [scales.noise_scale, scales.length_scale / speed, scales.noise_w], numpy.float32
            ),
        }
        if self._config.speakers:
            inputs[SPEAKER] = numpy.array([speaker], numpy.int64)
        return inputs

    def _speaker(self, voice: str) -> int:
        index = find_voice(voice, self.voices)
        return index if self._config.speakers else 0

    def _check_language(self, language: str) -> None:
        spoken = self._config.languages
        if language and language.lower().replace("_", "-").split("-")[0] not in spoken:
            raise InvalidRequest(
                f"this voice does not speak {language[:20]!r}",
                hint=f"It speaks {', '.join(sorted(spoken))}.",
                param="language",
            )


def _only(files: Mapping[str, Path], ending: str) -> str:
    found = [name for name in files if name.endswith(ending)]
    if len(found) != 1:
        raise ModelDamaged(f"a Piper voice has one {ending} file, this one has {len(found)}")
    return found[0]
