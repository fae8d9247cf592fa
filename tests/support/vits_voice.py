"""A Piper voice of some 500 KB for tests: the real VITS network, narrow, with random weights.

Unlike piper_voice's it has everything in it that a published graph has: a transformer over the
phonemes, a stochastic duration predictor, a prior that is drawn from, a normalising flow, and a
HiFi-GAN decoder, each coloured by the speaker where there are several. Its sound is a buzz.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.support.onnx_graph import OnnxGraph
from tests.support.piper_voice import SYMBOLS, config

OPSET = 15
HIDDEN, SPEAKER_SIZE = 16, 8
FRAMES_PER_ID = 2.6
# HiFi-GAN as in Piper's medium voices, with fewer channels.
CHANNELS = 32
RATES, KERNELS = (8, 8, 4), (16, 16, 8)
BLOCKS = ((3, (1, 2)), (5, (2, 6)), (7, (3, 12)))
HOP = 256
# Of its receptive field: what the decoder's layers add up to.
MOST_FRAMES = 12


def build(path: Path, *, speakers: int = 1, seed: int | None = None, **parts: bool) -> Path:
    """Write `path`, which ends in .onnx, and `path`.json.

    seed: of the graph's own noise, so that two sessions draw the same; else it is drawn anew.
    parts: those of Network.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(Network(speakers, seed, **parts).model(), path)
    described = config(speakers, "en-us", "espeak")
    Path(f"{path}.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    return path


class Network:
    """Tensors are (1, channels, time), as in the original."""

    def __init__(
        self,
        speakers: int,
        seed: int | None = None,
        *,
        noisy_decoder: bool = False,
        normed_decoder: bool = False,
    ) -> None:
        """noisy_decoder, normed_decoder: no published voice is so; such a one cannot be cut."""
        self.g = OnnxGraph()
        self.random = np.random.default_rng(5)
        self.speakers = speakers
        self.noise = {} if seed is None else {"seed": float(seed)}
        self.noisy_decoder, self.normed_decoder = noisy_decoder, normed_decoder

    def model(self) -> onnx.ModelProto:
        g = self.g
        noise_scale, length_scale, noise_w = (g("Gather", "scales", index) for index in range(3))
        self.speaker = ""
        if self.speakers > 1:
            table = self.weights(self.speakers, SPEAKER_SIZE, fan_in=1)
            self.speaker = g("Unsqueeze", g("Gather", table, "sid"), np.array([2]))
        hidden = self.text_encoder()
        index = self.frames(hidden, noise_w, length_scale)
        stats = g("Gather", self.convolved(hidden, HIDDEN, 2 * HIDDEN, 1), index, axis=2)
        mean, spread = g.several(2, "Split", stats, np.array([HIDDEN, HIDDEN]), axis=1)
        drawn = g("RandomNormalLike", mean, **self.noise)
        drawn = g("Mul", g("Mul", drawn, g("Exp", g("Mul", spread, 0.1))), noise_scale)
        latent = self.flow(self.flow(g("Add", mean, drawn)))
        self.decoder(latent)
        inputs = [
            helper.make_tensor_value_info("input", TensorProto.INT64, ["batch_size", "phonemes"]),
            helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["batch_size"]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
        ]
        if self.speakers > 1:
            inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["batch_size"]))
        output = helper.make_tensor_value_info(
            "output", TensorProto.FLOAT, ["batch_size", 1, 1, "time"]
        )
        return g.model(inputs, [output], OPSET)

    def weights(self, *shape: int, fan_in: float, gain: float = 1.0) -> np.ndarray:
        return self.random.normal(0, gain / np.sqrt(fan_in), shape).astype(np.float32)

    def convolved(self, x: str, wide: int, out: int, width: int, **options: object) -> str:
        (dilation,) = options.setdefault("dilations", [1])  # type: ignore[misc]
        options.setdefault("pads", [dilation * (width - 1) // 2] * 2)
        name = str(options.pop("named", ""))
        gain = float(options.pop("gain", 1.0))  # type: ignore[arg-type]
        kernels = self.g.weight(
            self.weights(out, wide, width, fan_in=wide * width, gain=gain),
            name and f"{name}.weight",
        )
        return self.g("Conv", x, kernels, self.weights(out, fan_in=100), **options)

    def coloured(self, x: str, out: int) -> str:
        if not self.speaker:
            return x
        return self.g("Add", x, self.convolved(self.speaker, SPEAKER_SIZE, out, 1))

    def normed(self, x: str) -> str:
        """Over the channels of each moment, as plain operators: this opset has no other."""
        g, axis = self.g, [1]
        centred = g("Sub", x, g("ReduceMean", x, axes=axis))
        deviation = g(
            "Sqrt", g("Add", g("ReduceMean", g("Mul", centred, centred), axes=axis), 1e-5)
        )
        return g("Div", centred, deviation)

    def text_encoder(self) -> str:
        """One transformer layer: attention, then a network of convolutions."""
        g = self.g
        tokens = g("Gather", self.weights(len(SYMBOLS), HIDDEN, fan_in=1), "input")
        # A graph inside the graph, as exported ones have, that takes from outside.
        long = g("Greater", g("Gather", "input_lengths", 0), 10_000)
        branches = {
            side: helper.make_graph(
                [helper.make_node("Identity", [tokens], [side])],
                side,
                [],
                [helper.make_tensor_value_info(side, TensorProto.FLOAT, None)],
            )
            for side in ("then_branch", "else_branch")
        }
        x = g("Transpose", g("If", long, **branches), perm=[0, 2, 1])
        query, key, value = (self.convolved(x, HIDDEN, HIDDEN, 1) for _ in range(3))
        scores = g("MatMul", g("Transpose", query, perm=[0, 2, 1]), key)
        shares = g("Softmax", g("Div", scores, float(np.sqrt(HIDDEN))), axis=-1)
        heard = g("MatMul", value, g("Transpose", shares, perm=[0, 2, 1]))
        x = self.normed(g("Add", x, self.convolved(heard, HIDDEN, HIDDEN, 1)))
        wide = g("Relu", self.convolved(x, HIDDEN, 2 * HIDDEN, 3))
        x = self.normed(g("Add", x, self.convolved(wide, 2 * HIDDEN, HIDDEN, 3)))
        return self.coloured(x, HIDDEN)

    def frames(self, hidden: str, noise_w: str, length_scale: str) -> str:
        """Which phoneme sounds in each frame, by a duration predictor that draws."""
        g = self.g
        one = self.convolved(hidden, HIDDEN, 1, 1)
        drawn = g("Mul", g("RandomNormalLike", one, **self.noise), noise_w)
        x = g("Concat", self.convolved(hidden, HIDDEN, HIDDEN, 3), drawn, axis=1)
        drift = self.convolved(g("Relu", x), HIDDEN + 1, 1, 3)
        lengths = g("Mul", g("Exp", g("Mul", g("Tanh", drift), 0.3)), FRAMES_PER_ID)
        lengths = g("Ceil", g("Mul", lengths, length_scale))
        lengths = g("Reshape", lengths, np.array([-1]))
        total = g("Cast", g("ReduceSum", lengths, np.array([0]), keepdims=0), to=TensorProto.INT64)
        clock = g("Cast", g("Range", 0, total, 1), to=TensorProto.FLOAT)
        ends = g("Unsqueeze", g("CumSum", lengths, 0), np.array([0]))
        ended = g("LessOrEqual", ends, g("Unsqueeze", clock, np.array([1])))
        return g("ReduceSum", g("Cast", ended, to=TensorProto.INT64), np.array([1]), keepdims=0)

    def flow(self, x: str) -> str:
        """A coupling layer: one half moves the other, then both change places."""
        g, half = self.g, HIDDEN // 2
        kept, moved = g.several(2, "Split", x, np.array([half, half]), axis=1)
        inner = self.convolved(kept, half, HIDDEN, 1)
        for dilation in (1, 2):  # WaveNet's gate
            pair = self.coloured(
                self.convolved(inner, HIDDEN, 2 * HIDDEN, 5, dilations=[dilation]), 2 * HIDDEN
            )
            wave, gate = g.several(2, "Split", pair, np.array([HIDDEN, HIDDEN]), axis=1)
            gated = g("Mul", g("Tanh", wave), g("Sigmoid", gate))
            inner = g("Add", inner, self.convolved(gated, HIDDEN, HIDDEN, 1))
        moved = g("Sub", moved, self.convolved(inner, HIDDEN, half, 1))
        return g("Concat", moved, kept, axis=1)

    def decoder(self, latent: str) -> None:
        g, wide = self.g, CHANNELS
        x = self.convolved(latent, HIDDEN, wide, 7, named="dec.conv_pre")
        x = self.coloured(x, wide)
        for rate, width in zip(RATES, KERNELS, strict=True):
            x = g(
                "ConvTranspose",
                g("LeakyRelu", x, alpha=0.1),
                self.weights(wide, wide // 2, width, fan_in=wide * width / rate),
                strides=[rate],
                pads=[(width - rate) // 2] * 2,
            )
            wide //= 2
            if self.noisy_decoder:
                x = g("Add", x, g("RandomNormalLike", x, **self.noise))
            if self.normed_decoder:
                ones, zeros = np.ones(wide, np.float32), np.zeros(wide, np.float32)
                x = g("InstanceNormalization", x, ones, zeros)
            made = [self.residual(x, wide, width, dilations) for width, dilations in BLOCKS]
            x = g("Div", g("Add", g("Add", made[0], made[1]), made[2]), float(len(made)))
        x = self.convolved(g("LeakyRelu", x), wide, 1, 7)
        g("Unsqueeze", g("Tanh", x), np.array([1]), to_output="output")

    def residual(self, x: str, wide: int, width: int, dilations: tuple[int, ...]) -> str:
        for dilation in dilations:
            inner = self.g("LeakyRelu", x, alpha=0.1)
            inner = self.convolved(inner, wide, wide, width, dilations=[dilation])
            x = self.g("Add", x, inner)
        return x
