"""Our Qwen3-TTS against qwen-tts 0.1.1, by what that made of the same files: tools/published.py."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from sirene_inference.qwen import model as qwen
from sirene_inference.qwen.decoder import Stream
from sirene_inference.qwen.frames import Frames
from sirene_inference.qwen.model import Model
from sirene_inference.qwen.prompt import ClonedVoice, Prompt, Prompter
from tests.support import qwen_model, speech_clip

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "support" / "published" / "qwen.json").read_text()
)
TEXT = "Hello world, this is a test of Some Text."
FRAMES, EVERY = 24, 997


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Model]:
    folder = tmp_path_factory.mktemp("qwen")

    def load(kind: str) -> Model:
        place = qwen_model.build(folder / kind, kind)
        files = {str(path.relative_to(place)): path for path in place.rglob("*.*")}
        return qwen.load(files, torch.device("cpu"))

    return load


@torch.inference_mode()
def made(
    model: Model, prompt: Prompt, *, sample: bool = False, before: torch.Tensor | None = None
) -> dict[str, Any]:
    """Codes and samples, the sound made in pieces of growing length."""
    generation = msgspec.structs.replace(
        model.generation, do_sample=sample, subtalker_dosample=sample
    )
    frames = Frames(model.talker, prompt, generation, seed=7, limit=FRAMES)
    codes = []
    while (frame := frames.draw()) is not None:
        codes.append(frame)
    stream, sound = Stream(), []
    if before is not None:
        model.decoder(before, stream)
    for piece in torch.stack(codes).split([1, 2, 4, 8, len(codes) - 15]):
        sound.append(model.decoder(piece, stream))
    return {
        "codes": torch.stack(codes).tolist(),
        "samples": torch.cat(sound).numpy()[::EVERY],
    }


def assert_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours["codes"] == theirs["codes"]
    assert np.abs(ours["samples"] - np.array(theirs["samples"])).max() < 1e-4


def test_a_preset_voice_with_instructions(model_of: Callable[[str], Model]) -> None:
    model = model_of("custom_voice")
    prompter = Prompter(model.talker, model.tokens, model.config)
    prompt = prompter.preset(TEXT, "ryan", "english", "Speak softly.")
    assert_alike(made(model, prompt), PUBLISHED["custom_voice"])
    assert_alike(made(model, prompt, sample=True), PUBLISHED["sampled"])
    dialect = prompter.preset(TEXT, "eric", "chinese", "")
    assert_alike(made(model, dialect), PUBLISHED["dialect"])


def test_a_described_voice(model_of: Callable[[str], Model]) -> None:
    model = model_of("voice_design")
    prompter = Prompter(model.talker, model.tokens, model.config)
    prompt = prompter.preset(TEXT, "", "english", "A calm voice.")
    assert_alike(made(model, prompt), PUBLISHED["voice_design"])


def test_a_cloned_voice_with_and_without_a_transcript(model_of: Callable[[str], Model]) -> None:
    model = model_of("base")
    assert model.cloning is not None
    samples = torch.from_numpy(speech_clip.samples())
    speaker, codes = model.cloning.speaker(samples), model.cloning.encoder(samples)
    assert np.abs(speaker.numpy() - np.array(PUBLISHED["speaker"])).max() < 1e-4
    assert codes.tolist() == PUBLISHED["reference"]
    prompter = Prompter(model.talker, model.tokens, model.config)
    said = model.tokens(speech_clip.TRANSCRIPT)
    whole = prompter.cloned(TEXT, ClonedVoice(speaker, codes, said), "english")
    assert_alike(made(model, whole, before=codes), PUBLISHED["base"])
    alone = prompter.cloned(TEXT, ClonedVoice(speaker, None, []), "english")
    assert_alike(made(model, alone), PUBLISHED["base without transcript"])
