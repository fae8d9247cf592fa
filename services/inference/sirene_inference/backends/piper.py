"""Piper: VITS voices as published by rhasspy, run by onnxruntime.

A voice is `<name>.onnx` and its config `<name>.onnx.json`. The graph takes phoneme ids and three
scales and gives the audio of the whole sentence. Its noise has no seed, so `seed` has no effect.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from sirene_inference import piper_config
from sirene_inference.backends import Audio, Device
from sirene_inference.cancellation import Cancellation
from sirene_inference.espeak import Espeak
from sirene_inference.onnx_file import read_model
from sirene_inference.piper_config import PhonemeIds, PiperConfig
from sirene_inference.text import sentences
from sirene_shared.errors import (
    InvalidRequest,
    ModelDamaged,
    SpeechFailed,
    VoiceNotFound,
)
from sirene_shared.manifest import Manifest

log = logging.getLogger(__name__)

SHOWN_VOICES = 10
# The engine's own errors share no base below Exception.
ENGINE_ERRORS = (
    engine.EPFail,
    engine.Fail,
    engine.InvalidArgument,
    engine.InvalidGraph,
    engine.InvalidProtobuf,
    engine.NotImplemented,
    engine.RuntimeException,
)
INPUTS = {"input", "input_lengths", "scales"}


def load(
    files: Mapping[str, Path], manifest: Manifest, variant: str, *, device: Device, threads: int
) -> "PiperVoice":
    """Raises: ModelDamaged, BackendMissing (no espeak-ng)."""
    graph = _only(files, ".onnx")
    config_name = _only(files, ".onnx.json")
    config = piper_config.parse(files[config_name].read_bytes(), config_name)
    session = _open(files[graph], graph, device, threads)
    inputs = {tensor.name for tensor in session.get_inputs()}
    if inputs != (INPUTS | {"sid"} if config.speakers else INPUTS):
        raise ModelDamaged(f"{graph!r} is no Piper voice: it takes {', '.join(sorted(inputs))}")
    names = config.speakers or tuple(voice.id for voice in manifest.variants[variant].voices)
    return PiperVoice(session, config, names or (variant,))


class PiperVoice:
    def __init__(
        self, session: onnxruntime.InferenceSession, config: PiperConfig, voices: tuple[str, ...]
    ) -> None:
        self._session = session
        self._config = config
        self._ids = PhonemeIds(config)
        self._espeak = Espeak(config.espeak.voice) if config.phoneme_type == "espeak" else None
        self.sample_rate = config.audio.sample_rate
        self.voices = voices
        self.device = "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"

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
        has_spoken = False
        for sentence in sentences(text, self._config.espeak.voice):
            if cancelled.is_set():
                return
            ids = self._ids(self._espeak.phonemize(sentence) if self._espeak else sentence)
            if not ids:
                continue
            has_spoken = True
            audio = self._run(ids, speaker, speed, cancelled)
            if audio is None:
                return
            yield audio
        if not has_spoken:
            raise InvalidRequest(
                "the text holds nothing that can be spoken",
                hint="Give a text with words.",
                param="input",
            )

    def close(self) -> None:
        if self._espeak:
            self._espeak.close()

    def _run(
        self, ids: Sequence[int], speaker: int, speed: float, cancelled: Cancellation
    ) -> "Audio | None":
        """Audio of one sentence; None when it was cancelled."""
        scales = self._config.inference
        inputs = {
            "input": numpy.array([ids], numpy.int64),
            "input_lengths": numpy.array([len(ids)], numpy.int64),
            "scales": numpy.array(
                [scales.noise_scale, scales.length_scale / speed, scales.noise_w], numpy.float32
            ),
        }
        if self._config.speakers:
            inputs["sid"] = numpy.array([speaker], numpy.int64)
        options = onnxruntime.RunOptions()
        # Gives back what a long sentence took: 580 -> 447 MB idle, at no cost in time.
        if self.device == "cpu":
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        try:
            with cancelled.stops(lambda: setattr(options, "terminate", True)):
                (output,) = self._session.run(None, inputs, options)
        except ENGINE_ERRORS as error:
            if cancelled.is_set():
                return None
            log.warning("onnxruntime: %s", error)
            raise SpeechFailed(
                "the engine failed on a sentence", hint="Try a shorter or another text."
            ) from error
        audio = numpy.asarray(output, numpy.float32).reshape(-1)
        if not numpy.isfinite(audio).all():
            raise SpeechFailed("the model made something that is no audio")
        return audio

    def _speaker(self, voice: str) -> int:
        if not voice:
            return 0
        with suppress(ValueError):
            index = self.voices.index(voice)
            return index if self._config.speakers else 0
        some = ", ".join(self.voices[:SHOWN_VOICES])
        more = len(self.voices) - SHOWN_VOICES
        raise VoiceNotFound(
            f"there is no voice {voice[:80]!r} here",
            hint=f"There is: {some}{f' and {more} more' if more > 0 else ''}.",
            param="voice",
        )

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


def _open(path: Path, name: str, device: Device, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Optimising doubles the load time of these graphs and changes their speed by noise only.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # On a CPU by default even beside a GPU: these models are too small to gain from one.
    wanted = ["CPUExecutionProvider"]
    settings: list[dict[str, str]] = [{}]
    if device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        wanted.insert(0, "CUDAExecutionProvider")
        settings.insert(0, {"cudnn_conv_algo_search": "HEURISTIC"})
    try:
        session = onnxruntime.InferenceSession(
            read_model(path, name), options, providers=wanted, provider_options=settings
        )
    except ENGINE_ERRORS as error:
        log.warning("onnxruntime: %s", error)
        raise ModelDamaged(
            f"{name!r} cannot be loaded by onnxruntime", hint="Delete the model and pull it again."
        ) from error
    # It would keep the file's bytes for a restart of its own: 63 MB for a medium voice.
    session._model_bytes = None
    return session
