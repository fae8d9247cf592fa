"""The F5-TTS backend on a small model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sirene_inference.backends import f5tts
from sirene_inference.backends.f5tts import F5Voice
from sirene_inference.cancellation import Cancellation
from sirene_inference.prompt import Prompt
from sirene_shared.errors import InvalidRequest, ModelDamaged
from sirene_shared.manifest import load_catalogue
from sirene_shared.settings import repository_folder
from tests.support import f5_model, speech_clip
from tests.support.set_after import NEVER, SetAfter

TEXT = "Hello world, this is a text. And a second one."
PROMPT = Prompt(clip=speech_clip.wav(2.0), transcript=speech_clip.TRANSCRIPT)


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> F5Voice:
    return load_from(f5_model.build(tmp_path_factory.mktemp("f5tts")))


def load_from(folder: Path) -> F5Voice:
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*.*")}
    manifest = load_catalogue(repository_folder("manifests"))["f5tts"]
    return f5tts.load(files, manifest, "default", device="cpu", threads=1)


def spoken(
    voice: F5Voice,
    text: str = TEXT,
    *,
    seed: int | None = 7,
    language: str = "",
    cancelled: Cancellation | None = None,
) -> list[np.ndarray]:
    return list(
        voice.speak(
            text,
            voice="",
            language=language,
            speed=1.0,
            seed=seed,
            cancelled=cancelled or Cancellation(),
        )
    )


def sound(voice: F5Voice, text: str = TEXT, **options: object) -> np.ndarray:
    return np.concatenate(spoken(voice, text, **options))  # type: ignore[arg-type]


def test_a_seed_makes_the_same_sound_and_another_seed_another(voice: F5Voice) -> None:
    cloned = voice.prompted(PROMPT)
    first = sound(cloned)
    assert np.array_equal(sound(cloned), first)
    assert not np.array_equal(sound(cloned, seed=8), first)
    assert not np.array_equal(sound(cloned, seed=None), sound(cloned, seed=None))


def test_the_sound_depends_on_clip_transcript_and_text(voice: F5Voice) -> None:
    first = sound(voice.prompted(PROMPT))
    higher = Prompt(clip=speech_clip.wav(2.0, pitch_hz=300), transcript=PROMPT.transcript)
    said = Prompt(clip=PROMPT.clip, transcript=PROMPT.transcript.replace("This", "That"))
    for prompt in (higher, said):
        assert np.abs(sound(voice.prompted(prompt)) - first).max() > 1e-3
    other = sound(voice.prompted(PROMPT), TEXT.replace("Hello", "Jello"))
    assert np.abs(other - first).max() > 1e-4


@pytest.mark.parametrize("transcript", ["", " ", "\n\t"])
def test_a_clip_without_a_transcript_is_refused(voice: F5Voice, transcript: str) -> None:
    with pytest.raises(InvalidRequest, match="what is said") as caught:
        voice.prompted(Prompt(clip=PROMPT.clip, transcript=transcript))
    assert caught.value.param == "ref_text"


def test_without_a_clip_it_says_what_it_needs(voice: F5Voice) -> None:
    with pytest.raises(InvalidRequest, match="no voice of its own") as caught:
        spoken(voice)
    assert caught.value.param == "ref_audio"
    with pytest.raises(InvalidRequest, match="no voice of its own"):
        voice.prompted(Prompt(transcript="Only a transcript."))


def test_a_clip_longer_than_the_model_can_hear_is_refused(voice: F5Voice) -> None:
    with pytest.raises(InvalidRequest, match="longer than 15 s"):
        voice.prompted(Prompt(clip=speech_clip.wav(16.0), transcript="Long."))


def test_a_cancel_is_heard_in_the_middle_of_a_step(voice: F5Voice) -> None:
    cloned = voice.prompted(PROMPT)
    whole = SetAfter(NEVER)
    assert len(spoken(cloned, "One sentence.", cancelled=whole)) == 1
    # Many times in each of the network's blocks, and then in the vocoder's.
    assert whole.asked > 4 * f5tts.STEPS["cpu"] * f5_model.NETWORK.depth
    for count in range(0, whole.asked, 7):
        cancelled = SetAfter(count)
        assert spoken(cloned, "One sentence.", cancelled=cancelled) == []
        assert cancelled.asked == count + 1


def test_a_cloned_voice_is_made_once(voice: F5Voice) -> None:
    assert voice.prompted(PROMPT)._reference is voice.prompted(PROMPT)._reference


def test_a_quiet_clip_makes_quiet_speech(voice: F5Voice) -> None:
    quiet = Prompt(clip=speech_clip.wav(2.0, loudness=0.2), transcript=PROMPT.transcript)
    assert 2 * sound(voice.prompted(quiet)).std() < sound(voice.prompted(PROMPT)).std()


def test_the_silence_around_a_clip_is_left_out() -> None:
    samples = speech_clip.samples(2.0)
    loud = f5tts._trimmed(samples)
    assert abs(len(loud) - len(samples)) < 0.07 * f5tts.SAMPLE_RATE
    silence = np.zeros(12_000, np.float32)
    assert len(f5tts._trimmed(np.concatenate((silence, samples, silence)))) == len(loud)


def test_long_sentences_are_cut_to_what_fits_beside_the_reference(voice: F5Voice) -> None:
    cloned = voice.prompted(PROMPT)
    pieces = spoken(cloned, "word " * 100 + "end.")
    assert len(pieces) > 1
    assert max(map(len, pieces)) < (f5tts.TOTAL_S - 1.5) * f5tts.SAMPLE_RATE


def test_chinese_is_spoken_and_german_is_not(voice: F5Voice) -> None:
    cloned = voice.prompted(PROMPT)
    assert sound(cloned, "今天天气很好。", language="zh").size
    with pytest.raises(InvalidRequest, match="'de'"):
        spoken(cloned, language="de")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("model.safetensors", lambda body: body[:-100], "'model.safetensors'"),
        (
            "model.safetensors",
            lambda body: body.replace(b"proj_out.bias", b"proj_out.bios"),
            "'model.safetensors' lacks proj_out.bias",
        ),
        ("vocab.txt", lambda body: b"a\nb\n", "'vocab.txt' is no vocabulary"),
        ("vocab.txt", lambda body: body[: len(body) // 2], "'vocab.txt'"),
        ("vocab.txt", lambda body: b"\xff\xfe", "'vocab.txt'"),
        ("vocos/pytorch_model.bin", lambda body: body[:1000], "pytorch_model.bin'"),
        ("vocos/pytorch_model.bin", lambda body: b"", "pytorch_model.bin'"),
    ],
)
def test_a_damaged_file_is_called_by_its_name(
    name: str, change: Callable[[bytes], bytes], told: str, tmp_path: Path
) -> None:
    path = f5_model.build(tmp_path) / name
    changed = change(path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(ModelDamaged, match=told):
        load_from(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "vocos/pytorch_model.bin"])
def test_a_missing_file_is_called_by_its_name(name: str, tmp_path: Path) -> None:
    (f5_model.build(tmp_path) / name).unlink()
    with pytest.raises(ModelDamaged, match=name):
        load_from(tmp_path)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('it ran')",)


def test_a_vocoder_that_carries_a_program_is_refused(tmp_path: Path) -> None:
    path = f5_model.build(tmp_path) / "vocos" / "pytorch_model.bin"
    torch.save({"head.out.bias": Evil()}, path)
    with pytest.raises(ModelDamaged, match=r"pytorch_model\.bin"):
        load_from(tmp_path)
