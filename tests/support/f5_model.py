"""An F5-TTS directory of about a megabyte for tests: the published format, and nothing trained."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from sirene_inference.f5 import dit, shape, vocos
from tests.support import random_weights

SYMBOLS = (
    *map(chr, range(32, 127)),
    *"àâäçéèêëîïôöùûüÿñáíóúßæœ«»…—。，！？",
    *("ni3", "hao3", "shi4", "jie4", "jin1", "tian1", "qi4", "hen3"),
)
NETWORK = shape.Shape(
    width=64,
    depth=2,
    heads=1,
    inner=128,
    mels=100,
    text_width=32,
    text_depth=1,
    text_inner=64,
    symbols=len(SYMBOLS) + 1,
)
VOCODER = vocos.Shape(mels=100, width=32, inner=64, depth=2, fft=1024)
# About as loud as speech: natural logarithms of a bin's magnitude.
LOUDNESS = -0.5
VOCODER_CONFIG = """\
feature_extractor:
  class_path: vocos.feature_extractors.MelSpectrogramFeatures
  init_args: {sample_rate: 24000, n_fft: 1024, hop_length: 256, n_mels: 100, padding: center}
backbone:
  class_path: vocos.models.VocosBackbone
  init_args: {input_channels: 100, dim: 32, intermediate_dim: 64, num_layers: 2}
head:
  class_path: vocos.heads.ISTFTHead
  init_args: {dim: 32, n_fft: 1024, hop_length: 256, padding: center}
"""


def build(folder: Path) -> Path:
    random = np.random.default_rng(0)
    (folder / "vocos").mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(SYMBOLS) + "\n", encoding="utf-8")
    # A louder network would be a chaotic one, which no two machines run alike.
    network = random_weights.fill(lambda: dit.DiT(NETWORK), random, gain=0.5)
    tensors = {f"ema_model.transformer.{name}": tensor for name, tensor in network.items()}
    # What the published file holds besides, and nobody needs to speak.
    steps = torch.arange(0, shape.HEAD_DIM, 2, dtype=torch.float32)
    turns = 1 / 10000 ** (steps / shape.HEAD_DIM)
    tensors |= {"ema_model.transformer.rotary_embed.inv_freq": turns}
    tensors |= {"initted": torch.tensor(True), "step": torch.tensor(1_250_000)}
    save_file(tensors, folder / "model.safetensors")
    (folder / "vocos" / "config.yaml").write_text(VOCODER_CONFIG, encoding="utf-8")
    torch.save(_vocoder(random), folder / "vocos" / "pytorch_model.bin")
    return folder


def _vocoder(random: np.random.Generator) -> dict[str, Tensor]:
    tensors = random_weights.fill(lambda: vocos.Vocos(VOCODER), random)
    bins = VOCODER.fft // 2 + 1
    tensors["head.out.weight"][:bins] *= 0.5
    tensors["head.out.bias"][:bins] = LOUDNESS
    window = torch.hann_window(VOCODER.fft)
    filters = torch.zeros(bins, VOCODER.mels)
    return tensors | {
        "head.istft.window": window,
        "feature_extractor.mel_spec.spectrogram.window": window.clone(),
        "feature_extractor.mel_spec.mel_scale.fb": filters,
    }
