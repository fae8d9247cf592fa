"""Our F5-TTS against f5-tts 1.1.22, vocos 0.1.0 and librosa: see tools/published.py."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sirene_inference import mel, safetensors_file, torch_file
from sirene_inference.f5 import dit, flow, shape, symbols, vocos
from sirene_inference.weights import Weights
from tests.support import f5_model, speech_clip

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "support" / "published" / "f5.json").read_text()
)
TEXT = "Hello world, this is a test of Some Text."
EVERY = 997


def test_the_mel_filters() -> None:
    assert mel.htk_filters(513, 100, 24_000).sum(dim=0).numpy() == pytest.approx(
        np.array(PUBLISHED["htk"]), abs=1e-3
    )
    assert mel.slaney_filters(513, 128, 24_000, 12_000).sum(dim=0).numpy() == pytest.approx(
        np.array(PUBLISHED["slaney"]), abs=1e-6
    )


@pytest.mark.parametrize("text", PUBLISHED["spelled"])
def test_the_spelling(text: str) -> None:
    assert symbols.spelled(text) == PUBLISHED["spelled"][text]


@pytest.mark.parametrize("steps", [3, 7, 32])
def test_the_sound_of_so_many_steps(steps: int, tmp_path: Path) -> None:
    place = f5_model.build(tmp_path)
    device, dtype = torch.device("cpu"), torch.float32
    name = "model.safetensors"
    weights = Weights.read(place / name, name, safetensors_file.load)
    weights = weights.under("ema_model.transformer.")
    network = weights.fill(lambda: dit.DiT(shape.shape_of(weights)), device, dtype)
    assert shape.shape_of(weights) == f5_model.NETWORK
    sound = Weights.read(place / "vocos/pytorch_model.bin", "vocos", torch_file.load)
    vocoder = sound.fill(lambda: vocos.Vocos(vocos.shape_of(sound)), device, dtype)
    spelling = symbols.read(place / "vocab.txt", "vocab.txt")

    samples = torch.from_numpy(speech_clip.samples())
    spectrum = mel.magnitudes(samples, size=1024, hop=256, center=True)
    heard = (spectrum.T @ mel.htk_filters(513, 100, 24_000)).clamp(min=1e-5).log()
    frames = len(samples) // 256
    made = flow.sample(
        network,
        heard,
        torch.tensor(spelling(f"{speech_clip.TRANSCRIPT} {TEXT}")),
        frames=3 * frames,
        steps=steps,
        seed=7,
    )
    ours = vocoder(made[frames:]).numpy()[::EVERY]
    assert np.abs(ours - np.array(PUBLISHED[f"{steps} steps"])).max() < 1e-4
