"""The Qwen3-TTS backend on small models of all three kinds."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from sirene_inference.backends import qwen
from sirene_inference.backends.qwen import LANGUAGES, QwenVoice
from sirene_inference.cancellation import Cancellation
from sirene_inference.prompt import Prompt
from sirene_inference.qwen.decoder import Stream
from sirene_inference.stopping import Stopped, heeding
from sirene_shared.errors import InvalidRequest, ModelDamaged
from sirene_shared.manifest import load_catalogue
from sirene_shared.settings import repository_folder
from tests.support import qwen_model, speech_clip
from tests.support.set_after import NEVER, SetAfter

TEXT = "Hello world, a text."
LONG = "Hello world, this is a text of some length."
CLIP = Prompt(clip=speech_clip.wav(), transcript=speech_clip.TRANSCRIPT)
Load = Callable[..., QwenVoice]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    folder = tmp_path_factory.mktemp("qwen")

    def loaded(kind: str, *, small: bool = False) -> QwenVoice:
        return load_from(qwen_model.build(folder / f"{kind}{small}", kind, small=small))

    return loaded


def load_from(folder: Path) -> QwenVoice:
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*.*")}
    manifest = load_catalogue(repository_folder("manifests"))["qwen3-tts"]
    return qwen.load(files, manifest, "0.6B", device="cpu", threads=1)


def spoken(
    voice: QwenVoice,
    text: str = TEXT,
    *,
    name: str = "",
    language: str = "",
    seed: int | None = 7,
    cancelled: Cancellation | None = None,
) -> list[np.ndarray]:
    return list(
        voice.speak(
            text,
            voice=name,
            language=language,
            speed=1.0,
            seed=seed,
            cancelled=cancelled or Cancellation(),
        )
    )


def sound(voice: QwenVoice, text: str = TEXT, **options: object) -> np.ndarray:
    return np.concatenate(spoken(voice, text, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["custom_voice", "voice_design", "base"])
def test_a_seed_makes_the_same_sound_and_another_seed_another(load: Load, kind: str) -> None:
    voice = load(kind)
    voice = voice.prompted(CLIP) if kind == "base" else voice
    first = sound(voice)
    assert np.array_equal(sound(voice), first)
    other = sound(voice, seed=8)
    shortest = min(len(first), len(other))
    assert not np.array_equal(first[:shortest], other[:shortest])
    assert not np.array_equal(sound(voice, seed=None)[:3840], sound(voice, seed=None)[:3840])


def test_speeches_at_a_time_do_not_change_each_other(load: Load) -> None:
    voice = load("custom_voice")
    alone = sound(voice)
    pieces = voice.speak(TEXT, voice="", language="", speed=1.0, seed=7, cancelled=Cancellation())
    heard = []
    for piece in pieces:
        heard.append(piece)
        assert sound(voice, "Hello.", seed=1).size
    assert np.array_equal(np.concatenate(heard), alone)


def test_the_first_sound_is_one_frame_and_pieces_grow(load: Load) -> None:
    frames = [len(piece) // 1920 for piece in spoken(load("custom_voice"), LONG)]
    assert frames[:5] == [1, 2, 4, 8, 8]


def test_streamed_sound_is_the_whole_and_needs_no_more_than_its_past(load: Load) -> None:
    decoder = load("custom_voice")._loaded.model.decoder
    codes = torch.randint(0, 64, (200, 4), generator=torch.Generator().manual_seed(0))
    whole = decoder(codes, Stream())
    stream = Stream()
    pieces = [decoder(part, stream) for part in codes.split([1, 2, 4, 8, 85, 100])]
    assert (torch.cat(pieces) - whole).abs().max() < 1e-4
    # What is kept does not grow with what was heard.
    kept = sum(tail.numel() for tail in stream.tails.values())
    decoder(codes, stream)
    assert sum(tail.numel() for tail in stream.tails.values()) == kept
    for seen in stream.seen.values():
        assert seen._length <= 71


def test_a_cancel_is_heard_in_the_middle_of_a_frame(load: Load) -> None:
    voice = load("custom_voice")
    whole = SetAfter(NEVER)
    frames = sum(len(piece) for piece in spoken(voice, cancelled=whole)) // 1920
    # In each layer of the talker, of the predictor for each code, and of the decoder.
    assert whole.asked > 20 * frames
    for count in range(0, whole.asked, whole.asked // 20):
        cancelled = SetAfter(count)
        made = sum(len(piece) for piece in spoken(voice, cancelled=cancelled)) // 1920
        assert made <= frames * count / whole.asked + 8
        assert cancelled.asked <= count + 2


def test_a_cancel_is_heard_in_the_middle_of_a_long_prompt(load: Load) -> None:
    voice = load("voice_design").prompted(Prompt(instructions="A calm, old voice. " * 40))
    for count in range(3):
        cancelled = SetAfter(count)
        assert spoken(voice, cancelled=cancelled) == []
        assert cancelled.asked <= count + 2


def test_a_cancel_is_heard_while_the_clip_is(load: Load) -> None:
    voice = load("base")
    whole = SetAfter(NEVER)
    with heeding(whole):
        known = voice.prompted(CLIP)
    # The speaker's encoder, the codec's, and its decoder.
    assert whole.asked > 30
    for count in range(0, whole.asked, 5):
        other = msgspec.structs.replace(CLIP, transcript=f"{CLIP.transcript} {count}")
        cancelled = SetAfter(count)
        with heeding(cancelled), pytest.raises(Stopped):
            voice.prompted(other)
        assert cancelled.asked == count + 1
    # Nothing of it is left: whoever asks next hears the clip as it is.
    assert np.array_equal(sound(voice.prompted(CLIP)), sound(known))


def test_of_a_long_reference_its_end_is_enough(load: Load) -> None:
    decoder = load("base")._loaded.model.decoder
    codes = torch.randint(0, 64, (300, 4), generator=torch.Generator().manual_seed(0))
    whole, short = Stream(), Stream()
    decoder(codes[:250], whole)
    decoder(codes[250 - qwen.HEARD_FRAMES : 250], short)
    assert (decoder(codes[250:], whole) - decoder(codes[250:], short)).abs().max() < 1e-5


def test_a_preset_voice_is_found_in_any_case_and_each_sounds_different(load: Load) -> None:
    voice = load("custom_voice")
    assert voice.voices == ("Vivian", "Eric", "Ryan")  # as the manifest names them
    ryan = sound(voice, name="Ryan")
    assert np.array_equal(sound(voice, name="ryan"), ryan)
    assert np.array_equal(sound(voice), sound(voice, name="Vivian"))
    assert not np.array_equal(sound(voice, name="Eric"), ryan)


@pytest.mark.parametrize("language", [*LANGUAGES, "en-US", "pt_BR", "Japanese", "auto", "AUTO"])
def test_every_documented_language_is_taken(load: Load, language: str) -> None:
    assert sound(load("voice_design"), "Hello.", language=language).size


def test_a_language_it_does_not_speak_is_refused(load: Load) -> None:
    with pytest.raises(InvalidRequest, match="'sw'") as caught:
        spoken(load("voice_design"), language="sw")
    assert caught.value.param == "language"


def test_instructions_change_the_voice_where_the_model_was_trained_to(load: Load) -> None:
    for kind, small, follows in (
        ("voice_design", False, True),
        ("custom_voice", False, True),
        ("custom_voice", True, False),
    ):
        voice = load(kind, small=small)
        plain, told = sound(voice), sound(voice.prompted(Prompt(instructions="Whisper.")))
        assert np.array_equal(plain, told) is not follows, (kind, small)


def test_a_clone_needs_a_clip_and_a_clip_needs_a_clone(load: Load) -> None:
    with pytest.raises(InvalidRequest, match="no voice of its own"):
        spoken(load("base"))
    for kind in ("custom_voice", "voice_design"):
        with pytest.raises(InvalidRequest, match="clones none"):
            load(kind).prompted(CLIP)


def test_a_clone_depends_on_the_clip_and_on_its_transcript(load: Load) -> None:
    voice = load("base")
    cloned = sound(voice.prompted(CLIP))
    other = Prompt(clip=speech_clip.wav(pitch_hz=260), transcript=CLIP.transcript)
    without = Prompt(clip=CLIP.clip)
    for prompt in (other, without):
        assert not np.array_equal(sound(voice.prompted(prompt)), cloned)


def test_a_cloned_voice_is_made_once(load: Load) -> None:
    voice = load("base")
    first = voice.prompted(CLIP)._cloned
    assert voice.prompted(CLIP)._cloned is first
    for pitch_hz in range(100, 100 + 10 * qwen.KEPT_VOICES, 10):
        voice.prompted(Prompt(clip=speech_clip.wav(pitch_hz=pitch_hz)))
    assert voice.prompted(CLIP)._cloned is not first


def test_a_speech_that_misses_its_end_is_cut(tmp_path: Path) -> None:
    folder = qwen_model.build(tmp_path)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    end = tensors["talker.codec_head.weight"][qwen_model.END]
    end.zero_()[qwen_model.ONE] = -1000.0
    save_file(tensors, path)
    config = folder / "generation_config.json"
    config.write_text(config.read_text().replace('"max_new_tokens": 90', '"max_new_tokens": 9999'))
    frames = len(sound(load_from(folder), "Hello.")) // 1920
    assert qwen.FRAMES_AT_LEAST < frames <= qwen.FRAMES_AT_LEAST + 6 * qwen.FRAMES_A_TOKEN


def test_what_looks_like_a_control_token_is_text(load: Load) -> None:
    tokens = load("custom_voice")._loaded.model.tokens
    assert len(tokens("<|im_end|>")) > 1
    assert tokens("assistant\n") == [*tokens("assistant"), *tokens("\n")]


def test_a_null_in_a_config_is_its_default(tmp_path: Path) -> None:
    config = qwen_model.build(tmp_path) / "config.json"
    body = config.read_text().replace('"speaker_encoder_config": {', '"other": {')
    config.write_text(body.replace("{", '{"speaker_encoder_config": null, ', 1))
    assert sound(load_from(tmp_path), "Hello.").size


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("config.json", lambda body: b"{}", "'config.json'"),
        ("config.json", lambda body: body.replace(b'"custom_voice"', b'"other"'), "'config.json'"),
        (
            "config.json",
            lambda body: body.replace(b'"hidden_size": 32', b'"hidden_size": 64'),
            "'model.safetensors' holds .* not",
        ),
        ("generation_config.json", lambda body: b"[1]", "'generation_config.json'"),
        ("vocab.json", lambda body: b'{"a": "b"}', "'vocab.json'"),
        ("merges.txt", lambda body: b"a b c\n", "'merges.txt'"),
        ("merges.txt", lambda body: body + b"z q\n", "'merges.txt'"),
        ("model.safetensors", lambda body: body[:-100], "model.safetensors'"),
        (
            "model.safetensors",
            lambda body: body.replace(b"codec_head", b"codec_hoad"),
            "'model.safetensors' lacks codec_head.weight",
        ),
        (
            "speech_tokenizer/config.json",
            lambda body: body.replace(b'"num_quantizers": 4', b'"num_quantizers": 5'),
            "'speech_tokenizer/config.json'",
        ),
        ("speech_tokenizer/model.safetensors", lambda body: b"", "model.safetensors'"),
    ],
)
def test_a_damaged_file_is_called_by_its_name(
    name: str, change: Callable[[bytes], bytes], told: str, tmp_path: Path
) -> None:
    path = qwen_model.build(tmp_path) / name
    changed = change(path.read_bytes())
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    with pytest.raises(ModelDamaged, match=told):
        load_from(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "merges.txt", "speech_tokenizer/config.json"])
def test_a_missing_file_is_called_by_its_name(name: str, tmp_path: Path) -> None:
    (qwen_model.build(tmp_path) / name).unlink()
    with pytest.raises(ModelDamaged, match=name):
        load_from(tmp_path)


def test_no_program_in_a_model_directory_runs(tmp_path: Path) -> None:
    folder = qwen_model.build(tmp_path)
    for name in ("modeling_qwen3_tts.py", "configuration_qwen3_tts.py", "__init__.py"):
        (folder / name).write_text("raise SystemExit('it ran')")
    config = folder / "config.json"
    auto = '{"auto_map": {"AutoModel": "modeling_qwen3_tts.Model"}, '
    config.write_text(config.read_text().replace("{", auto, 1))
    assert sound(load_from(folder), "Hello.").size
