"""Tone: a backend without a network, for tests of everything around the models.

Every byte of the text becomes a tenth of a second of one pitch, so that decode() reads back from
the audio what was asked: a mixed-up, cut or reordered answer shows. It misbehaves on demand. Words
in the text: `#hang` never returns and ignores a cancel, `#crash` ends the process, `#slow` takes
half a second, `#work` some in small steps, `#leak` keeps 8 MB, `#memory` asks for more than
there is, `#fail` raises. Its one file, `tone.json`, says how loading goes.
No manifest of this folder is shipped, so nobody reaches it by accident.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy
from msgspec import Meta

from sirene_inference.backends import Audio, Device
from sirene_inference.cancellation import Cancellation
from sirene_inference.text import sentences
from sirene_shared.errors import InvalidRequest, ModelDamaged, SpeechFailed, VoiceNotFound
from sirene_shared.manifest import Manifest

FILE = "tone.json"
BYTE_S = 0.1
# A tenth of a second tells pitches apart that differ by 10 Hz: byte b sounds at (b + 30) * 10 Hz,
# and at a higher speed as much higher.
STEP_HZ, OFFSET = 10, 30
VOICES = {"loud": 0.5, "quiet": 0.1}
LEAK_BYTES = 8 << 20
WORK_STEPS = 25


class ToneConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sample_rate: Annotated[int, Meta(ge=8000, le=48_000)] = 16_000
    load: Literal["well", "hang", "crash", "fail", "memory"] = "well"
    load_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    memory_bytes: Annotated[int, Meta(ge=0, le=1 << 30)] = 0


def load(
    files: Mapping[str, Path], manifest: Manifest, variant: str, *, device: Device, threads: int
) -> "ToneVoice":
    """Raises: ModelDamaged."""
    try:
        config = msgspec.json.decode(files[FILE].read_bytes(), type=ToneConfig)
    except (KeyError, OSError, msgspec.MsgspecError) as error:
        raise ModelDamaged(f"{FILE!r} is missing or is no config of a tone") from error
    time.sleep(config.load_s)
    if config.load == "fail":
        raise ModelDamaged(f"{FILE!r} asks for a load that fails")
    if config.load == "memory":
        _exhaust()
    if config.load == "crash":
        _crash()
    while config.load == "hang":
        time.sleep(1)
    return ToneVoice(config)


class ToneVoice:
    voices = tuple(VOICES)
    device = "cpu"

    def __init__(self, config: ToneConfig) -> None:
        self.sample_rate = config.sample_rate
        # Written to, so that it counts as memory.
        self._held = [bytearray(b"\x01") * config.memory_bytes]

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
        if voice and voice not in VOICES:
            raise VoiceNotFound(
                f"there is no voice {voice[:80]!r} here",
                hint=f"There is: {', '.join(VOICES)}.",
                param="voice",
            )
        if not any(char.isalnum() for char in text):
            raise InvalidRequest("the text holds nothing that can be spoken", param="input")
        for sentence in sentences(text, language or "en"):
            self._misbehave(sentence, cancelled)
            if cancelled.is_set():
                return
            yield VOICES[voice or "loud"] * _encode(sentence, self.sample_rate, speed)

    def rest(self) -> None:
        """It holds on to nothing."""

    def close(self) -> None:
        self._held.clear()

    def _misbehave(self, sentence: str, cancelled: Cancellation) -> None:
        if "#slow" in sentence:
            time.sleep(0.5)
        if "#work" in sentence:
            for _ in range(WORK_STEPS):
                if not cancelled.is_set():
                    time.sleep(0.1)
        if "#memory" in sentence:
            _exhaust()
        if "#leak" in sentence:
            self._held.append(bytearray(b"\x01") * LEAK_BYTES)
        if "#fail" in sentence:
            raise SpeechFailed("the text asks for a failure")
        if "#crash" in sentence:
            _crash()
        while "#hang" in sentence:
            time.sleep(1)


def decode(audio: Audio, sample_rate: int, speed: float = 1.0) -> str:
    """The text that `audio` was made of, at any rate and volume; U+FFFD where it is broken."""
    width = _width(sample_rate, speed)
    pieces = audio[: len(audio) // width * width].reshape(-1, width)
    # A piece holds a whole number of periods, so that its pitch is exactly one bin.
    peaks = numpy.abs(numpy.fft.rfft(pieces)).argmax(axis=1)
    values = numpy.clip(peaks - OFFSET, 0, 255)
    return bytes(values.tolist()).decode(errors="replace")


def _encode(text: str, sample_rate: int, speed: float) -> Audio:
    pitches = (numpy.frombuffer(text.encode(), numpy.uint8) + float(OFFSET)) * STEP_HZ * speed
    width = _width(sample_rate, speed)
    turns = numpy.outer(pitches, numpy.arange(width) / sample_rate).ravel()
    return numpy.sin(2 * numpy.pi * turns).astype(numpy.float32)


def _width(sample_rate: int, speed: float) -> int:
    return round(sample_rate * BYTE_S / speed)


def _exhaust() -> None:
    bytearray(1 << 60)


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)  # another thread may be the one that is hit, a little later
