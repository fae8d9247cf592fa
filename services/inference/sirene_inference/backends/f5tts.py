"""F5-TTS: clones the voice of a clip, given what is said in it.

The files tell every size but the sampler's: few well-chosen steps, since all cost the same. It has
no recogniser, so a clip without its transcript is refused.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy
import torch
from torch import Tensor

from sirene_inference import clip, mel, safetensors_file, torch_device, torch_file
from sirene_inference.backends import Audio, Device
from sirene_inference.cancellation import Cancellation
from sirene_inference.f5 import flow, symbols, vocos
from sirene_inference.f5.dit import DiT
from sirene_inference.f5.shape import shape_of
from sirene_inference.f5.symbols import Symbols
from sirene_inference.f5.vocos import HOP, Vocos
from sirene_inference.passages import language_of, parts
from sirene_inference.prompt import Prompt, needs_a_clip
from sirene_inference.recent import Recent
from sirene_inference.stopping import until_cancelled
from sirene_inference.text import sentences
from sirene_inference.weights import Weights
from sirene_shared.errors import InvalidRequest, ModelDamaged, SpeechFailed, VoiceNotFound
from sirene_shared.manifest import Manifest

WEIGHTS, VOCABULARY, VOCODER = "model.safetensors", "vocab.txt", "vocos/pytorch_model.bin"
PREFIX = "ema_model.transformer."
SAMPLE_RATE, FFT, MELS = 24_000, 1024, 100
VOICE = "clone"
# Seven pruned steps sound like 32 even ones (arXiv 2505.19931); a GPU affords some more.
STEPS = {"cpu": 7, "cuda": 16}
# What the model was trained on: reference and text together are at most so long.
TOTAL_S, REFERENCE_S = 22.0, 15.0
LOUDNESS = 0.1
# Short texts come out too fast at their own length.
SHORT_BYTES, SHORT_SPEED = 10, 0.3
LANGUAGES = ("en", "zh")
SILENCE_DB, EDGE_S, PAUSE_S = -42.0, 0.01, 0.05
KEPT_VOICES = 16
SEED_BITS = 63


def load(
    files: Mapping[str, Path], manifest: Manifest, variant: str, *, device: Device, threads: int
) -> "F5Voice":
    """Raises: ModelDamaged."""
    for name in (WEIGHTS, VOCABULARY, VOCODER):
        if name not in files:
            raise ModelDamaged(f"the model lacks {name!r}", hint="Delete it and pull it again.")
    used = torch_device.prepare(device, threads)
    weights = Weights.read(files[WEIGHTS], WEIGHTS, safetensors_file.load).under(PREFIX)
    shape = shape_of(weights)
    spelling = symbols.read(files[VOCABULARY], VOCABULARY)
    if shape.symbols != len(spelling) + 1 or shape.mels != MELS:
        raise ModelDamaged(f"{VOCABULARY!r} is of another model than {WEIGHTS!r}")
    sound = Weights.read(files[VOCODER], VOCODER, torch_file.load)
    sound_shape = vocos.shape_of(sound)
    if sound_shape.mels != MELS or sound_shape.fft != FFT:
        raise ModelDamaged(f"{VOCODER!r} is not the vocoder of {WEIGHTS!r}")
    # Half precision is what upstream uses on a GPU; on a CPU it is no faster.
    dtype = torch.float32 if used.type == "cpu" else torch.float16
    return F5Voice(
        Model(
            network=weights.fill(lambda: DiT(shape), used, dtype),
            vocoder=sound.fill(lambda: Vocos(sound_shape), used, torch.float32),
            symbols=spelling,
            filters=mel.htk_filters(FFT // 2 + 1, MELS, SAMPLE_RATE).to(used),
            device=used,
            voices=Recent(KEPT_VOICES),
        )
    )


class Reference(NamedTuple):
    heard: Tensor
    """(frames, mels)"""
    frames: int
    gain: float
    """What its loudness was multiplied with."""
    transcript: str


class Model(NamedTuple):
    network: DiT
    vocoder: Vocos
    symbols: Symbols
    filters: Tensor
    device: torch.device
    voices: Recent[Reference]


class F5Voice:
    sample_rate = SAMPLE_RATE
    voices = (VOICE,)

    def __init__(self, model: Model, reference: Reference | None = None) -> None:
        self._model, self._reference = model, reference
        self.device = model.device.type

    def prompted(self, prompt: Prompt) -> "F5Voice":
        """Raises: InvalidRequest."""
        if not prompt.clip:
            raise needs_a_clip()
        transcript = prompt.transcript.strip()
        if not transcript:
            raise InvalidRequest(
                "this model needs to know what is said in the clip",
                hint="Send it as ref_text.",
                param="ref_text",
            )
        key = hashlib.sha256(prompt.clip).digest(), transcript
        heard = self._model.voices.get(key, lambda: self._hear(prompt.clip, transcript))
        return F5Voice(self._model, heard)

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
        """One piece a sentence."""
        reference = self._reference
        if voice not in ("", VOICE):
            raise VoiceNotFound(
                f"there is no voice {voice[:80]!r} here", hint=f"There is: {VOICE}.", param="voice"
            )
        if language and language.lower().replace("_", "-").split("-")[0] not in LANGUAGES:
            raise InvalidRequest(
                f"this model does not speak {language[:20]!r}",
                hint=f"It speaks {', '.join(LANGUAGES)}.",
                param="language",
            )
        if not any(char.isalnum() for char in text):
            raise InvalidRequest("the text holds nothing that can be spoken", param="input")
        if reference is None:
            raise needs_a_clip()
        first_seed = secrets.randbits(SEED_BITS) if seed is None else seed
        room = self._room(reference, speed)
        each = sentences(text, language_of(text, language))
        found = (part for sentence in each for part in parts(sentence, room))
        said = (
            self._say(part, reference, speed, (first_seed + index) & ((1 << SEED_BITS) - 1))
            for index, part in enumerate(found)
            if any(char.isalnum() for char in part)
        )
        yield from until_cancelled(said, cancelled)

    def rest(self) -> None:
        """What torch keeps on a GPU is its own pool, and cheap only as long as it is kept."""

    def close(self) -> None:
        """Its process ends with it."""

    def _say(self, sentence: str, reference: Reference, speed: float, seed: int) -> Audio:
        """Raises: Stopped, in the middle of a step."""
        model, size = self._model, len(sentence.encode())
        rate = reference.frames / len(reference.transcript.encode())
        lasting = int(rate * size / (speed * (SHORT_SPEED if size < SHORT_BYTES else 1)))
        spelled = model.symbols(reference.transcript + sentence)
        made = flow.sample(
            model.network,
            reference.heard,
            torch.tensor(spelled, device=model.device),
            frames=reference.frames + lasting,
            steps=STEPS[model.device.type],
            seed=seed,
        )
        audio: Audio = model.vocoder(made[reference.frames :]).float().cpu().numpy()
        if not numpy.isfinite(audio).all():
            raise SpeechFailed("the model made something that is no audio")
        return audio / reference.gain

    def _room(self, reference: Reference, speed: float) -> int:
        """How many characters may be said at a time."""
        length_s = reference.frames * HOP / SAMPLE_RATE
        rate = len(reference.transcript.encode()) / length_s
        return max(SHORT_BYTES, int(rate * (TOTAL_S - length_s) * speed))

    @torch.inference_mode()
    def _hear(self, body: bytes, transcript: str) -> Reference:
        samples = _trimmed(clip.decode(body, SAMPLE_RATE, max_s=REFERENCE_S))
        loudness = float(numpy.sqrt(numpy.mean(samples**2)))
        gain = max(1.0, LOUDNESS / max(loudness, 1e-6))
        sound = torch.from_numpy(samples * numpy.float32(gain)).to(self._model.device)
        spectrum = mel.magnitudes(sound, size=FFT, hop=HOP, center=True)
        heard = (spectrum.T @ self._model.filters).clamp(min=1e-5).log()
        ends = transcript.endswith((".", "。", "!", "?", "！", "？"))
        spoken = transcript if ends else f"{transcript}."
        return Reference(
            heard=heard.to(self._model.network.proj_out.weight.dtype),
            frames=len(samples) // HOP,
            gain=gain,
            transcript=f"{spoken} " if spoken[-1].isascii() else spoken,
        )


def _trimmed(samples: Audio) -> Audio:
    """Without the silence around it, and with a short pause behind."""
    width = int(EDGE_S * SAMPLE_RATE)
    pieces = samples[: len(samples) // width * width].reshape(-1, width)
    loud = numpy.sqrt((pieces**2).mean(axis=1)) > 10 ** (SILENCE_DB / 20)
    if not loud.any():
        return samples
    first, last = numpy.flatnonzero(loud)[[0, -1]]
    pause = numpy.zeros(int(PAUSE_S * SAMPLE_RATE), numpy.float32)
    return numpy.concatenate((samples[first * width : (last + 1) * width], pause))
