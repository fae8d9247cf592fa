"""What lies beside a Piper voice as `<voice>.onnx.json`, and how phonemes become its input."""

import logging
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sirene_shared.errors import ModelDamaged

log = logging.getLogger(__name__)

PAD, BEGIN, END = "_", "^", "$"
Scale = Annotated[float, Meta(ge=0, le=10)]
Count = Annotated[int, Meta(ge=1, le=100_000)]


class AudioConfig(msgspec.Struct, frozen=True):
    sample_rate: Annotated[int, Meta(ge=8000, le=192_000)]


class EspeakConfig(msgspec.Struct, frozen=True):
    voice: str = "en-us"


class LanguageConfig(msgspec.Struct, frozen=True):
    family: str = ""


class Scales(msgspec.Struct, frozen=True):
    noise_scale: Scale = 0.667
    length_scale: Scale = 1.0
    noise_w: Scale = 0.8


class PiperConfig(msgspec.Struct, frozen=True):
    """Only what speaking needs; published configs hold more."""

    audio: AudioConfig
    phoneme_id_map: dict[str, tuple[int, ...]]
    espeak: EspeakConfig = EspeakConfig()
    language: LanguageConfig = LanguageConfig()
    inference: Scales = Scales()
    phoneme_type: Literal["espeak", "text"] = "espeak"
    phoneme_map: dict[str, tuple[str, ...]] = {}
    num_speakers: Count = 1
    speaker_id_map: dict[str, int] = {}

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names in the order of their ids; empty for a voice with one speaker."""
        if self.num_speakers < 2:
            return ()
        named = {index: name for name, index in self.speaker_id_map.items()}
        return tuple(named.get(index, str(index)) for index in range(self.num_speakers))

    @property
    def languages(self) -> frozenset[str]:
        """What a request's language may begin with."""
        return frozenset({self.espeak.voice.split("-")[0], self.language.family} - {""})


def parse(body: bytes, name: str) -> PiperConfig:
    """name: what messages call the file. Raises: ModelDamaged."""
    try:
        config = msgspec.json.decode(body, type=PiperConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelDamaged(f"{name!r} is no config of a Piper voice: {error}") from error
    for mark in (PAD, BEGIN, END):
        if not config.phoneme_id_map.get(mark):
            raise ModelDamaged(f"{name!r} has no id for {mark!r}")
    return config


class PhonemeIds:
    """Phonemes -> ids: `^ _ p1 _ p2 _ … $`, a pad after each but the end, as in training."""

    def __init__(self, config: PiperConfig) -> None:
        self._ids = config.phoneme_id_map
        self._map = config.phoneme_map
        self._unknown: set[str] = set()

    def __call__(self, phonemes: str) -> Sequence[int]:
        """Empty when no phoneme of it has a sound; one that the voice does not know is left out."""
        ids = [*self._ids[BEGIN], *self._ids[PAD]]
        has_sound = False
        for phoneme in unicodedata.normalize("NFD", phonemes):
            for symbol in self._map.get(phoneme, (phoneme,)):
                known = self._ids.get(symbol)
                if known is None:
                    self._note(symbol)
                    continue
                has_sound = has_sound or unicodedata.category(symbol[0]) in SOUNDS
                ids += [*known, *self._ids[PAD]]
        return [*ids, *self._ids[END]] if has_sound else []

    def _note(self, symbol: str) -> None:
        if symbol not in self._unknown:
            self._unknown.add(symbol)
            log.warning("the voice has no phoneme %a; it is left out", symbol)


# Letters; digits, which some languages use as tones, are no sound of their own.
SOUNDS = frozenset({"Ll", "Lu", "Lo", "Lt"})
