"""Qwen3-TTS: preset voices, cloning and voices by description, a frame of 80 ms at a time.

A model is one of three kinds. CustomVoice speaks with voices of its own; Base clones a clip, with
its manner where the transcript is given; VoiceDesign makes the voice that the instructions
describe. Sampling is by the request's seed. The model has no speed: the sound is stretched.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy
import torch

from sirene_inference import clip, torch_device
from sirene_inference.backends import Audio, Device
from sirene_inference.cancellation import Cancellation
from sirene_inference.passages import language_of, passages
from sirene_inference.prompt import Prompt, clones_nothing, needs_a_clip
from sirene_inference.qwen.decoder import Stream
from sirene_inference.qwen.frames import Frames
from sirene_inference.qwen.model import CONFIG, Model
from sirene_inference.qwen.model import load as load_model
from sirene_inference.qwen.prompt import ClonedVoice, Prompter
from sirene_inference.qwen.prompt import Prompt as TalkerPrompt
from sirene_inference.recent import Recent
from sirene_inference.stopping import until_cancelled
from sirene_inference.tempo import Tempo
from sirene_shared.errors import InvalidRequest, ModelDamaged, SpeechFailed, VoiceNotFound
from sirene_shared.manifest import Manifest

LANGUAGES = {
    "zh": "chinese",
    "en": "english",
    "ja": "japanese",
    "ko": "korean",
    "de": "german",
    "fr": "french",
    "ru": "russian",
    "pt": "portuguese",
    "es": "spanish",
    "it": "italian",
}
# How many frames are turned into sound at a time: few at first, so that the first sound is early.
PIECES = (1, 2, 4, 8)
# A speech that misses its end is cut here: four times as long as usual, and a beginning.
FRAMES_A_TOKEN, FRAMES_AT_LEAST = 12, 75
# A voice that is known stays itself from passage to passage; a described one is made anew.
PASSAGE_CHARACTERS, DESIGN_CHARACTERS = 400, 4096
KEPT_VOICES = 16
# So much of a reference the decoder hears, two of its windows: what lies before is as good as gone.
HEARD_FRAMES = 144
SEED_BITS = 63


def load(
    files: Mapping[str, Path], manifest: Manifest, variant: str, *, device: Device, threads: int
) -> "QwenVoice":
    """Raises: ModelDamaged."""
    model = load_model(files, torch_device.prepare(device, threads))
    names: tuple[str, ...] = ("clone",) if model.cloning else ("design",)
    if model.config.tts_model_type == "custom_voice":
        speakers = model.config.talker_config.spk_id
        told = (voice.id for voice in manifest.variants[variant].voices)
        names = tuple(name for name in told if name.lower() in speakers) or tuple(speakers)
        if not names:
            raise ModelDamaged(f"{CONFIG!r} names no voice")
    return QwenVoice(model, names)


class Clone(NamedTuple):
    voice: ClonedVoice
    past: Stream
    """Of the decoder, which has just heard the reference."""


class Loaded(NamedTuple):
    model: Model
    prompter: Prompter
    clones: Recent[Clone]


class QwenVoice:
    def __init__(
        self,
        model: Model,
        voices: tuple[str, ...],
        *,
        loaded: Loaded | None = None,
        instructions: str = "",
        cloned: Clone | None = None,
    ) -> None:
        self.voices = voices
        self.sample_rate = model.codec_config.output_sample_rate
        self.device = model.talker.device.type
        self._loaded = loaded or Loaded(
            model, Prompter(model.talker, model.tokens, model.config), Recent(KEPT_VOICES)
        )
        self._instructions, self._cloned = instructions, cloned

    def prompted(self, prompt: Prompt) -> "QwenVoice":
        """Raises: InvalidRequest."""
        model = self._loaded.model
        if prompt.clip and model.cloning is None:
            raise clones_nothing()
        cloned = self._clone(prompt) if prompt.clip else None
        instructions = prompt.instructions if model.config.follows_instructions else ""
        return QwenVoice(
            model, self.voices, loaded=self._loaded, instructions=instructions, cloned=cloned
        )

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
        """Pieces of a few frames."""
        model = self._loaded.model
        prompt = self._prompt_of(voice, self._language(language))
        is_design = model.config.tts_model_type == "voice_design"
        limit = DESIGN_CHARACTERS if is_design else PASSAGE_CHARACTERS
        found = list(passages(text, language_of(text, language), limit))
        if not any(char.isalnum() for char in text):
            raise InvalidRequest(
                "the text holds nothing that can be spoken",
                hint="Give a text with words.",
                param="input",
            )
        first_seed = secrets.randbits(SEED_BITS) if seed is None else seed
        tempo = Tempo(self.sample_rate, speed)
        for index, passage in enumerate(found):
            frames = Frames(
                model.talker,
                prompt(passage),
                model.generation,
                seed=(first_seed + index) & ((1 << SEED_BITS) - 1),
                limit=self._limit(passage),
            )
            for audio in until_cancelled(self._sound(frames), cancelled):
                if len(stretched := tempo.stretch(audio)):
                    yield stretched
            if cancelled.is_set():
                return
        if len(rest := tempo.flush()):
            yield rest

    def rest(self) -> None:
        """What torch keeps on a GPU is its own pool, and cheap only as long as it is kept."""

    def close(self) -> None:
        """Its process ends with it."""

    def _sound(self, frames: Frames) -> Iterator[Audio]:
        """Raises: Stopped, in the middle of a frame."""
        decoder = self._loaded.model.decoder
        # A cloned speech goes on from its reference.
        stream = self._cloned.past.copy() if self._cloned else Stream()
        waiting: list[torch.Tensor] = []
        sizes = iter(PIECES)
        size = next(sizes)
        while True:
            frame = frames.draw()
            if frame is not None:
                waiting.append(frame)
            if len(waiting) >= size or (frame is None and waiting):
                audio = decoder(torch.stack(waiting), stream).float().cpu().numpy()
                if not numpy.isfinite(audio).all():
                    raise SpeechFailed("the model made something that is no audio")
                yield audio
                waiting.clear()
                size = next(sizes, PIECES[-1])
            if frame is None:
                return

    def _limit(self, passage: str) -> int:
        model = self._loaded.model
        usual = FRAMES_AT_LEAST + FRAMES_A_TOKEN * len(model.tokens(passage))
        return min(usual, model.generation.max_new_tokens)

    def _prompt_of(self, voice: str, language: str) -> Callable[[str], TalkerPrompt]:
        """What makes a passage's prompt. Raises: VoiceNotFound, InvalidRequest."""
        known = {name.lower(): name for name in self.voices}
        if voice and voice.lower() not in known:
            raise VoiceNotFound(
                f"there is no voice {voice[:80]!r} here",
                hint=f"There is: {', '.join(self.voices)}.",
                param="voice",
            )
        prompter, config = self._loaded.prompter, self._loaded.model.config
        if config.tts_model_type == "base":
            if (cloned := self._cloned) is None:
                raise needs_a_clip()
            heard = cloned.voice
            return torch.inference_mode()(lambda text: prompter.cloned(text, heard, language))
        speaker = ""
        if config.tts_model_type == "custom_voice":
            speaker = (voice or self.voices[0]).lower()
        return torch.inference_mode()(
            lambda text: prompter.preset(text, speaker, language, self._instructions)
        )

    def _clone(self, prompt: Prompt) -> Clone:
        transcript = prompt.transcript.strip()
        digest = hashlib.sha256(prompt.clip).digest()
        return self._loaded.clones.get(
            (digest, transcript), lambda: self._hear(prompt.clip, transcript)
        )

    @torch.inference_mode()
    def _hear(self, body: bytes, transcript: str) -> Clone:
        model = self._loaded.model
        assert model.cloning is not None
        samples = torch.from_numpy(clip.decode(body, self.sample_rate)).to(model.talker.device)
        speaker = model.cloning.speaker(samples).to(model.talker.codec_head.weight.dtype)
        past = Stream()
        if not transcript:
            return Clone(ClonedVoice(speaker, None, []), past)
        codes = model.cloning.encoder(samples)
        model.decoder(codes[-HEARD_FRAMES:], past)
        return Clone(ClonedVoice(speaker, codes, model.tokens(transcript)), past)

    def _language(self, language: str) -> str:
        """The model's own name of it; empty for any. Raises: InvalidRequest."""
        if language.lower() in ("", "auto"):
            return ""
        asked = language.lower().replace("_", "-")
        name = LANGUAGES.get(asked.split("-")[0], asked)
        if name in self._loaded.model.config.talker_config.codec_language_id:
            return name
        raise InvalidRequest(
            f"this model does not speak {language[:20]!r}",
            hint=f"It speaks {', '.join(LANGUAGES)}.",
            param="language",
        )
