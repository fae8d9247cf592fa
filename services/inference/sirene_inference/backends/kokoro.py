"""Kokoro: StyleTTS 2 with an iSTFT decoder, 82 million parameters, run by onnxruntime.

The published ONNX takes `input_ids`, a `style` (a row of the voice's table, chosen by the count of
tokens) and a `speed`, and gives 24 kHz. The model normalises over all it makes at a time, so it is
not cut into windows: a long text is spoken in chunks of clauses. Its noise has no seed, so `seed`
has no effect.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy
from numpy.typing import NDArray

from sirene_inference.backends import Audio, Device
from sirene_inference.cancellation import Cancellation
from sirene_inference.kokoro.chunks import Chunk, Tokenizer, chunks
from sirene_inference.kokoro.files import STYLE_SIZE, Styles, vocabulary
from sirene_inference.kokoro.phonemes import LANGUAGES, Phonemizer, spoken_language
from sirene_inference.onnx_file import read_model
from sirene_inference.onnx_session import (
    OnnxSession,
    as_audio,
    from_earlier,
    may_use_cuda,
    optimised,
)
from sirene_inference.silence import trimmed
from sirene_inference.text import sentences
from sirene_inference.voices import find_voice
from sirene_shared.errors import InvalidRequest, ModelDamaged
from sirene_shared.manifest import Manifest

SAMPLE_RATE = 24_000
INPUTS = {"input_ids": "tensor(int64)", "style": "tensor(float)", "speed": "tensor(float)"}
# Opens and closes every input.
EDGE = 0
# What is left of the silence that the model puts around each chunk.
BEFORE_S, AFTER_CLAUSE_S, AFTER_SENTENCE_S = 0.05, 0.15, 0.4


def load(
    files: Mapping[str, Path], manifest: Manifest, variant: str, *, device: Device, threads: int
) -> "KokoroVoice":
    """Raises: ModelDamaged, BackendMissing (no espeak-ng)."""
    graphs = [name for name in files if name.endswith(".onnx")]
    if len(graphs) != 1:
        raise ModelDamaged(f"a Kokoro model has one .onnx file, this one has {len(graphs)}")
    tokenizer = Tokenizer(vocabulary(files))
    styles = Styles(files, tuple(voice.id for voice in manifest.variants[variant].voices))
    body, wants_cuda = read_model(files[graphs[0]], graphs[0]), device != "cpu"
    if not may_use_cuda(wants_cuda):
        body = from_earlier(body, bytes, partial(optimised, body), partial(bytes, body))
    session = OnnxSession(body, graphs[0], wants_cuda=wants_cuda, threads=threads)
    if session.inputs != INPUTS:
        found = ", ".join(f"{name} {kind}" for name, kind in sorted(session.inputs.items()))
        raise ModelDamaged(f"{graphs[0]!r} is no Kokoro model: it takes {found}")
    phonemizer = Phonemizer()
    phonemizer.prepare(spoken_language(styles.voices[0], ""))
    return KokoroVoice(session, tokenizer, styles, phonemizer)


class KokoroVoice:
    sample_rate = SAMPLE_RATE

    def __init__(
        self, session: OnnxSession, tokenizer: Tokenizer, styles: Styles, phonemizer: Phonemizer
    ) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._styles = styles
        self._phonemizer = phonemizer
        self.voices = styles.voices
        self.device = session.device

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
        name = self.voices[find_voice(voice, self.voices)]
        spoken = spoken_language(name, language)
        has_spoken = False
        for chunk in chunks(self._clauses(text, spoken, cancelled), self._tokenizer.space):
            if cancelled.is_set():
                return
            has_spoken = True
            audio = self._run(chunk, name, speed, cancelled)
            if audio is None:
                return
            yield audio
        if not has_spoken and not cancelled.is_set():
            raise InvalidRequest(
                "the text holds nothing that can be spoken",
                hint="Give a text with words.",
                param="input",
            )

    def rest(self) -> None:
        self._session.give_back()

    def close(self) -> None:
        self._phonemizer.close()

    def _clauses(
        self, text: str, spoken: str, cancelled: Cancellation
    ) -> Iterator[list[tuple[int, ...]]]:
        for sentence in sentences(text, LANGUAGES[spoken].tag):
            if cancelled.is_set():
                return
            yield self._tokenizer(self._phonemizer.phonemes(sentence, spoken))

    def _run(
        self, chunk: Chunk, voice: str, speed: float, cancelled: Cancellation
    ) -> "Audio | None":
        """None when it was cancelled."""
        style = self._styles.of(voice, len(chunk.tokens))
        inputs: dict[str, NDArray[numpy.generic]] = {
            "input_ids": numpy.array([[EDGE, *chunk.tokens, EDGE]], numpy.int64),
            "style": style.reshape(1, STYLE_SIZE),
            "speed": numpy.array([speed], numpy.float32),
        }
        outputs = self._session.run(inputs, cancelled)
        if outputs is None:
            return None
        after_s = AFTER_SENTENCE_S if chunk.ends_sentence else AFTER_CLAUSE_S
        return trimmed(
            as_audio(outputs[0]), SAMPLE_RATE, before_s=BEFORE_S, after_s=after_s / speed
        )
