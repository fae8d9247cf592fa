"""What every backend promises, tried on a small model of each."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from sirene_inference import backends
from sirene_inference.backends import Audio, Voice
from sirene_inference.cancellation import Cancellation
from sirene_inference.prompt import Prompt, prompted
from sirene_shared.errors import InvalidRequest, ModelDamaged, VoiceNotFound
from sirene_shared.manifest import Manifest, load_catalogue
from sirene_shared.names import ModelRef
from tests.support import speech_clip
from tests.support.models_volume import ModelsVolume

TEXT = "This is the first sentence. Here is another one. And a third."


class Small(NamedTuple):
    """A small model of a family."""

    install: Callable[[ModelsVolume], ModelRef]
    main_file: str
    prompt: Prompt = Prompt()
    """What it cannot speak without."""
    shortest_s: float = 0.1
    """Of a piece of its audio."""


# A new backend is one more line; one that is tried in several ways has one for each, `name-way`.
SMALL = {
    "f5tts": Small(
        lambda volume: volume.add_f5tts("small"),
        "model.safetensors",
        Prompt(clip=speech_clip.wav(), transcript=3 * speech_clip.TRANSCRIPT),
    ),
    "kokoro": Small(lambda volume: volume.add_kokoro("small"), "model.onnx"),
    "piper": Small(lambda volume: volume.add_piper("small", speakers=2), "model.onnx"),
    "piper-split": Small(lambda volume: volume.add_vits("small", speakers=2), "model.onnx"),
    # It speaks frame by frame, of 80 ms each.
    "qwen": Small(lambda volume: volume.add_qwen("small"), "model.safetensors", shortest_s=0.05),
    "tone": Small(lambda volume: volume.add_tone("small"), "tone.json"),
}


class Installed(NamedTuple):
    ref: ModelRef
    manifest: Manifest
    files: dict[str, Path]

    def load(self) -> Voice:
        backend = backends.find(self.manifest.backend)
        return backend.load(self.files, self.manifest, self.ref.variant, device="auto", threads=1)


@pytest.fixture(params=sorted(SMALL))
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Installed:
    volume = ModelsVolume(tmp_path / "data")
    ref = SMALL[request.param].install(volume)
    manifest = load_catalogue(volume.manifests)[ref.model]
    folder = volume.root / ref.model / ref.variant
    paths = [file.path for file in manifest.variants[ref.variant].file_list]
    return Installed(ref, manifest, {path: folder / path for path in paths})


@pytest.fixture
def voice(installed: Installed) -> Iterator[Voice]:
    loaded = installed.load()
    yield prompted(loaded, SMALL[installed.manifest.backend].prompt)
    loaded.close()


def spoken(
    voice: Voice,
    text: str = TEXT,
    *,
    name: str = "",
    language: str = "",
    speed: float = 1.0,
    cancelled: Cancellation | None = None,
) -> Iterator[Audio]:
    return voice.speak(
        text,
        voice=name,
        language=language,
        speed=speed,
        seed=None,
        cancelled=cancelled or Cancellation(),
    )


def test_every_backend_has_a_small_model_here() -> None:
    assert {name.partition("-")[0] for name in SMALL} == set(backends.names())


def test_the_contract_is_smaller_than_any_backend() -> None:
    lines = {
        name: len(Path(str(backends.find(name).__file__)).read_text().splitlines())  # type: ignore[attr-defined]
        for name in backends.names()
    }
    contract = len(Path(backends.__file__).read_text().splitlines())
    assert contract < 100
    assert contract < min(lines.values())


def test_a_voice_says_what_it_is(voice: Voice) -> None:
    assert 8000 <= voice.sample_rate <= 48000
    assert voice.voices
    assert voice.device == "cpu"


def test_speech_comes_in_pieces_of_mono_samples(installed: Installed, voice: Voice) -> None:
    shortest_s = SMALL[installed.manifest.backend].shortest_s
    pieces = list(spoken(voice))
    assert len(pieces) >= 3  # as many as there are sentences, or more
    for piece in pieces:
        assert piece.dtype == np.float32
        assert piece.ndim == 1
        assert shortest_s < len(piece) / voice.sample_rate < 10
        assert np.isfinite(piece).all()
        assert np.abs(piece).max() <= 1.5
    for third in np.array_split(np.concatenate(pieces), 3):
        assert 0.2 < len(third) / voice.sample_rate < 10
        assert np.abs(third).max() > 0.01


class Asked(Cancellation):
    """Counts how often it is asked, which a backend does for each sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def is_set(self) -> bool:
        self.times += 1
        return super().is_set()


def test_a_sentence_is_given_before_the_next_is_made(voice: Voice) -> None:
    asked = Asked()
    pieces = spoken(voice, "A sentence of some length. " * 20, cancelled=asked)
    next(pieces)
    for_the_first = asked.times
    for _ in pieces:
        pass
    assert 0 < 4 * for_the_first < asked.times


def test_a_longer_text_and_a_lower_speed_last_longer(voice: Voice) -> None:
    def length(text: str, speed: float = 1.0) -> int:
        return sum(len(piece) for piece in spoken(voice, text, speed=speed))

    assert length("Hello.") < length("Hello, this is a longer text.")
    assert 1.5 < length(TEXT, 0.5) / length(TEXT, 1.0) < 2.5


def test_an_empty_name_means_the_first_voice_and_an_unknown_one_is_refused(voice: Voice) -> None:
    assert list(spoken(voice, "Hello.", name=voice.voices[0]))
    with pytest.raises(VoiceNotFound, match="nobody") as caught:
        list(spoken(voice, name="nobody"))
    assert caught.value.param == "voice"
    assert voice.voices[0] in caught.value.hint


@pytest.mark.parametrize("text", [" ", "\n\t ", "?!", "…", "«»", "- - -", "\u200b"])
def test_a_text_without_a_sound_is_refused(voice: Voice, text: str) -> None:
    with pytest.raises(InvalidRequest):
        list(spoken(voice, text))


@pytest.mark.parametrize(
    "text",
    [
        "--version",
        "-f/etc/passwd",
        "@/etc/passwd",
        "[[h@l'oU]]",
        '<audio src="file:///etc/passwd"/> hello',
        "a\x00b\x1b[31m\x07c\u202e",
        "🎉 party",
        "नमस्ते 你好 مرحبا",
        "x" * 4096,
        "word " * 800,
    ],
)
def test_a_hostile_text_is_spoken_or_refused(voice: Voice, text: str) -> None:
    with suppress(InvalidRequest):
        assert sum(len(piece) for piece in spoken(voice, text)) > 0
    assert list(spoken(voice, "Hello."))


def test_a_cancelled_speech_ends(voice: Voice) -> None:
    cancelled = Cancellation()
    pieces = spoken(voice, TEXT * 50, cancelled=cancelled)
    next(pieces)
    cancelled.set()
    assert len(list(itertools.islice(pieces, 3))) <= 1


def test_two_speeches_at_a_time_do_not_mix(voice: Voice) -> None:
    texts = (TEXT, "Something else.")
    alone = [sum(len(piece) for piece in spoken(voice, text)) for text in texts]
    mixed = [0, 0]
    for pieces in itertools.zip_longest(*(spoken(voice, text) for text in texts), fillvalue=()):
        mixed = [length + len(piece) for length, piece in zip(mixed, pieces, strict=True)]
    # Some voices draw their durations anew for each sentence.
    assert mixed == pytest.approx(alone, rel=0.25)
    assert max(alone) > 1.5 * min(alone)


def test_a_voice_that_rests_loses_nothing(voice: Voice) -> None:
    pieces = spoken(voice)
    begun = [next(pieces)]
    voice.rest()
    said = sum(map(len, (*begun, *pieces)))
    voice.rest()
    again = sum(map(len, spoken(voice)))
    assert min(said, again) > 0


def test_a_cut_file_is_called_by_its_name(installed: Installed) -> None:
    path = installed.files[SMALL[installed.manifest.backend].main_file]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelDamaged, match=path.name):
        installed.load()
