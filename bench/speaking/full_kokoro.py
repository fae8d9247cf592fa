"""A Kokoro model of the published size, from the published network with random weights.

    python -m bench.speaking.full_kokoro FOLDER

It needs torch, transformers, onnx and loguru, and `kokoro`, whose own requirements (spaCy, and what
it downloads) the network does without: `pip install --no-deps kokoro==0.9.4`. Random prosody is
steered to what speech is like: three frames of 25 ms a token, and a pitch around 165 Hz.
"""

import argparse
import importlib
import importlib.util
import json
import math
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import torch

from tests.support.kokoro_voice import STYLE, VOCABULARY, VOICES, style_table

FRAMES, MOST_FRAMES, PITCH_HZ, TOKENS = 3.0, 50, 165.0, 178
# hexgrad/Kokoro-82M's own.
CONFIG: dict[str, Any] = {
    "istftnet": {
        "upsample_rates": [10, 6],
        "upsample_kernel_sizes": [20, 12],
        "upsample_initial_channel": 512,
        "gen_istft_n_fft": 20,
        "gen_istft_hop_size": 5,
        "resblock_kernel_sizes": [3, 7, 11],
        "resblock_dilation_sizes": [[1, 3, 5]] * 3,
    },
    "plbert": {
        "hidden_size": 768,
        "num_attention_heads": 12,
        "intermediate_size": 2048,
        "num_hidden_layers": 12,
        "max_position_embeddings": 512,
        "dropout": 0.1,
    },
    "dim_in": 64, "dropout": 0.2, "hidden_dim": 512, "max_conv_dim": 512, "max_dur": MOST_FRAMES,
    "multispeaker": True, "n_layer": 3, "n_mels": 80, "n_token": TOKENS, "style_dim": 128,
    "text_encoder_kernel_size": 5, "vocab": VOCABULARY,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    (folder / "voices").mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": VOCABULARY}}))
    for voice in VOICES:
        (folder / "voices" / f"{voice}.bin").write_bytes((style_table(voice) / 2).tobytes())
    torch.manual_seed(0)
    model = network()
    with torch.no_grad():
        make_speech_like(model)
        torch.onnx.export(
            Signature(model).eval(),
            example(),
            str(folder / "model.onnx"),
            # The tracing exporter: the newer one follows no lengths that depend on values.
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "style", "speed"],
            output_names=["waveform"],
            dynamic_axes={"input_ids": {1: "sequence_length"}, "waveform": {1: "num_samples"}},
        )
    print(f"{(folder / 'model.onnx').stat().st_size:,} bytes")


class Signature(torch.nn.Module):
    """Inputs and output as published."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, style: torch.Tensor, speed: torch.Tensor) -> torch.Tensor:
        waveform: torch.Tensor = self.model.forward_with_tokens(ids, style, speed)[0]
        return waveform.reshape(1, -1)


def network() -> Any:
    # The package wants spaCy, its network does not: it is entered by path.
    found = importlib.util.find_spec("kokoro")
    assert found is not None, "install kokoro"
    package = types.ModuleType("kokoro")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["kokoro"] = package
    # It insists on a file of weights: one that holds none.
    with tempfile.NamedTemporaryFile(suffix=".pth") as empty:
        torch.save({}, empty.name)
        module = importlib.import_module("kokoro.model")
        return module.KModel("random", CONFIG, empty.name, disable_complex=True).eval()


def make_speech_like(model: Any) -> None:
    durations, pitch = model.predictor.duration_proj.linear_layer, model.predictor.F0_proj
    durations.weight.mul_(3.0)
    share = FRAMES / MOST_FRAMES  # a sigmoid for each possible frame
    durations.bias.fill_(math.log(share / (1 - share)))
    torch.nn.init.normal_(pitch.weight, std=40 / math.sqrt(pitch.in_channels))
    pitch.bias.fill_(PITCH_HZ)
    generator = model.decoder.generator
    generator.m_source.l_linear.weight.fill_(1.5)
    generator.m_source.l_linear.bias.zero_()
    # The last layer gives logarithms of magnitudes: by one run scaled to what exp() can take.
    last, spread = generator.conv_post, []
    last.bias.zero_()
    hook = last.register_forward_hook(lambda layer, given, made: spread.append(float(made.std())))
    model.forward_with_tokens(*example())
    hook.remove()
    last.weight_g.mul_(0.8 / spread[0])
    last.bias[: generator.post_n_fft // 2 + 1].fill_(-1.2)


def example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    ids = torch.randint(17, len(VOCABULARY), (1, 50))
    ids[0, 0] = ids[0, -1] = 0
    return ids, torch.randn(1, STYLE) / 4, torch.ones(1)


if __name__ == "__main__":
    main()
