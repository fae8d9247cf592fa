"""A Kokoro model of half a megabyte for tests: the real network, narrow, with random weights.

The layers of StyleTTS 2 in their order: a transformer and an LSTM over the phonemes, durations and
a pitch curve that depend on the style, an AdaIN decoder, and a generator that filters harmonics of
the pitch and ends in an inverse STFT. So it depends on everything that the published model does,
and nothing of what it says can be understood.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.support.onnx_graph import OnnxGraph

SAMPLE_RATE = 24_000
OPSET = 17
# Of each voice: the published model's, for a text of 1 to 510 tokens.
ROWS, STYLE = 510, 256
VOICES = ("af_heart", "bm_george", "ff_siwis", "jf_alpha", "zf_xiaobei")
SYMBOLS = (
    ';:,.!?—…"()“” \u0303ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻ'
    "ʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ"
)
VOCABULARY = {symbol: index for index, symbol in enumerate(SYMBOLS, 1)}

HIDDEN, MIDDLE, CHANNELS, HARMONICS = 16, 16, 16, 9
MAX_FRAMES, FRAMES_PER_TOKEN, BASE_HZ = 50, 2.0, 165.0
UPSAMPLE, KERNELS = (10, 6), (20, 12)
FFT, HOP = 20, 5
BINS = FFT // 2 + 1
SAMPLES_PER_PITCH = UPSAMPLE[0] * UPSAMPLE[1] * HOP


def build(folder: Path, voices: Sequence[str] = VOICES) -> dict[str, Path]:
    """Write the files as the shipped manifest lays them out; path in the variant -> file."""
    paths = {f"voices/{voice}.bin": style_table(voice) for voice in voices}
    tokenizer = {"version": "1.0", "model": {"vocab": {"$": 0, **VOCABULARY}}}
    config = {"n_token": len(SYMBOLS) + 1, "style_dim": 128, "vocab": VOCABULARY}
    bodies = {name: table.tobytes() for name, table in paths.items()}
    bodies["model.onnx"] = Network().model().SerializeToString()
    bodies["tokenizer.json"] = json.dumps(tokenizer, ensure_ascii=False).encode()
    bodies["config.json"] = json.dumps(config, ensure_ascii=False).encode()
    for name, body in bodies.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return {name: folder / name for name in bodies}


def style_table(voice: str) -> np.ndarray:
    """(510, 1, 256): a point of its own, which moves a little with the count of tokens."""
    random = np.random.default_rng(list(voice.encode()))
    base, slope = random.normal(0, 0.5, STYLE), random.normal(0, 0.05, STYLE)
    rows = base + np.linspace(-1, 1, ROWS)[:, None] * slope
    return rows.reshape(ROWS, 1, STYLE).astype("<f4")


class Network:
    """Tensors are (1, channels, time), as in the original."""

    def __init__(self, seed: int = 0) -> None:
        self.g = OnnxGraph()
        self.random = np.random.default_rng(seed)

    def model(self) -> onnx.ModelProto:
        g = self.g
        timbre, prosody = g.several(2, "Split", "style", np.array([128, 128]), axis=1)
        tokens = g("Gather", self.weights(len(SYMBOLS) + 1, HIDDEN, fan_in=1), "input_ids")
        known = self.text_encoder(tokens)
        hidden = self.with_style(self.transformer(tokens), prosody)
        hidden = self.lstm(hidden, HIDDEN + 128)
        index = self.frames(hidden)
        stretched = self.lstm(self.with_style(g("Gather", hidden, index, axis=2), prosody), 144)
        pitch = self.curve(stretched, prosody, BASE_HZ, 25.0)
        energy = self.curve(stretched, prosody, 0.0, 1.0)
        self.generator(
            self.decoder(g("Gather", known, index, axis=2), pitch, energy, timbre), pitch, timbre
        )
        inputs = [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "sequence_length"]),
            helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, STYLE]),
            helper.make_tensor_value_info("speed", TensorProto.FLOAT, [1]),
        ]
        output = helper.make_tensor_value_info("waveform", TensorProto.FLOAT, [1, "num_samples"])
        return g.model(inputs, [output], OPSET)

    def weights(self, *shape: int, fan_in: int, gain: float = 1.0) -> np.ndarray:
        return self.random.normal(0, gain / np.sqrt(fan_in), shape).astype(np.float32)

    def linear(self, x: str, wide: int, out: int, bias: float = 0.0, gain: float = 1.0) -> str:
        """(…, wide) -> (…, out)."""
        product = self.g("MatMul", x, self.weights(wide, out, fan_in=wide, gain=gain))
        return self.g("Add", product, np.full(out, bias, np.float32))

    def convolved(self, x: str, wide: int, out: int, kernel: int, **options: object) -> str:
        options.setdefault("pads", [kernel // 2] * 2)
        gain = float(options.pop("gain", 1.0))  # type: ignore[arg-type]
        kernels = self.weights(out, wide, kernel, fan_in=wide * kernel, gain=gain)
        return self.g("Conv", x, kernels, self.weights(out, fan_in=100), **options)

    def text_encoder(self, tokens: str) -> str:
        g = self.g
        x = self.convolved(g("Transpose", tokens, perm=[0, 2, 1]), HIDDEN, HIDDEN, 5)
        x = g("LeakyRelu", self.normed(g("Transpose", x, perm=[0, 2, 1])), alpha=0.2)
        return self.lstm(g("Transpose", x, perm=[0, 2, 1]), HIDDEN)

    def normed(self, x: str) -> str:
        ones, zeros = np.ones(HIDDEN, np.float32), np.zeros(HIDDEN, np.float32)
        return self.g("LayerNormalization", x, ones, zeros, axis=-1)

    def transformer(self, tokens: str) -> str:
        """One layer of PL-BERT. (1, time, hidden) -> (1, hidden, time)."""
        g = self.g
        query, key, value = (self.linear(tokens, HIDDEN, HIDDEN) for _ in range(3))
        scores = g("MatMul", query, g("Transpose", key, perm=[0, 2, 1]))
        shares = g("Softmax", g("Div", scores, float(np.sqrt(HIDDEN))), axis=-1)
        x = self.normed(g("Add", tokens, self.linear(g("MatMul", shares, value), HIDDEN, HIDDEN)))
        wide = self.linear(x, HIDDEN, 2 * HIDDEN)
        gelu = g(
            "Mul", g("Mul", wide, 0.5), g("Add", g("Erf", g("Div", wide, float(np.sqrt(2)))), 1.0)
        )
        x = self.normed(g("Add", x, self.linear(gelu, 2 * HIDDEN, HIDDEN)))
        return g("Transpose", x, perm=[0, 2, 1])

    def lstm(self, x: str, wide: int) -> str:
        """Both directions. (1, wide, time) -> (1, hidden, time)."""
        half = HIDDEN // 2
        x = self.g(
            "LSTM",
            self.g("Transpose", x, perm=[2, 0, 1]),
            self.weights(2, 4 * half, wide, fan_in=wide),
            self.weights(2, 4 * half, half, fan_in=half),
            hidden_size=half,
            direction="bidirectional",
        )
        x = self.g("Transpose", x, perm=[2, 1, 3, 0])
        return self.g("Reshape", x, np.array([1, HIDDEN, -1]))

    def with_style(self, x: str, style: str) -> str:
        """Each column with the style below it."""
        time = self.g("Shape", x, start=2)
        shape = self.g("Concat", np.array([1, 128]), time, axis=0)
        columns = self.g("Expand", self.g("Unsqueeze", style, np.array([2])), shape)
        return self.g("Concat", x, columns, axis=1)

    def frames(self, hidden: str) -> str:
        """Which token sounds in each frame of 25 ms: each lasts a sum of sigmoids, over speed."""
        g = self.g
        share = FRAMES_PER_TOKEN / MAX_FRAMES
        columns = g("Transpose", hidden, perm=[0, 2, 1])
        bias = float(np.log(share / (1 - share)))
        steps = self.linear(columns, HIDDEN, MAX_FRAMES, bias, gain=3.0)
        lengths = g("Div", g("ReduceSum", g("Sigmoid", steps), np.array([2])), "speed")
        lengths = g("Reshape", g("Max", g("Round", lengths), 1.0), np.array([-1]))
        total = g("Cast", g("ReduceSum", lengths, np.array([0]), keepdims=0), to=TensorProto.INT64)
        clock = g("Cast", g("Range", 0, total, 1), to=TensorProto.FLOAT)
        ends = g("Unsqueeze", g("CumSum", lengths, 0), np.array([0]))
        ended = g("LessOrEqual", ends, g("Unsqueeze", clock, np.array([1])))
        return g("ReduceSum", g("Cast", ended, to=TensorProto.INT64), np.array([1]), keepdims=0)

    def curve(self, x: str, style: str, middle: float, spread: float) -> str:
        """A value for each half frame: (1, 1, 2 * frames)."""
        x = self.block(x, style, HIDDEN, HIDDEN)
        x = self.block(x, style, HIDDEN, HIDDEN, doubles=True)
        x = self.convolved(x, HIDDEN, 1, 1, gain=spread)
        return self.g("Add", x, middle)

    def adain(self, x: str, style: str, wide: int) -> str:
        ones, zeros = np.ones(wide, np.float32), np.zeros(wide, np.float32)
        x = self.g("InstanceNormalization", x, ones, zeros)
        affine = self.g("Unsqueeze", self.linear(style, 128, 2 * wide), np.array([2]))
        scale, shift = self.g.several(2, "Split", affine, np.array([wide, wide]), axis=1)
        return self.g("Add", self.g("Mul", x, self.g("Add", scale, 1.0)), shift)

    def block(self, x: str, style: str, wide: int, out: int, doubles: bool = False) -> str:
        """AdainResBlk1d; one that doubles makes twice as many columns."""
        g = self.g
        made = g("LeakyRelu", self.adain(x, style, wide), alpha=0.2)
        if doubles:
            kernels = self.weights(wide, 1, 3, fan_in=2)
            options = {"group": wide, "strides": [2], "pads": [1, 1], "output_padding": [1]}
            made = g("ConvTranspose", made, kernels, **options)
            x = g("Resize", x, "", np.array([1, 1, 2], np.float32), mode="nearest")
        made = self.convolved(made, wide, out, 3)
        made = self.convolved(g("LeakyRelu", self.adain(made, style, out), alpha=0.2), out, out, 3)
        if wide != out:
            x = self.convolved(x, wide, out, 1)
        return g("Div", g("Add", made, x), float(np.sqrt(2)))

    def decoder(self, known: str, pitch: str, energy: str, style: str) -> str:
        g = self.g
        halves = [
            self.convolved(curve, 1, 1, 3, strides=[2], pads=[1, 1], gain=gain)
            for curve, gain in ((pitch, 0.01), (energy, 1.0))
        ]
        x = self.block(g("Concat", known, *halves, axis=1), style, HIDDEN + 2, MIDDLE)
        kept = self.convolved(known, HIDDEN, 4, 1)
        wide = MIDDLE + 4 + 2
        x = self.block(g("Concat", x, kept, *halves, axis=1), style, wide, MIDDLE)
        last = g("Concat", x, kept, *halves, axis=1)
        return self.block(last, style, wide, CHANNELS, doubles=True)

    def generator(self, x: str, pitch: str, style: str) -> None:
        source, wide = self.source(pitch), CHANNELS
        for stage, (rate, kernel) in enumerate(zip(UPSAMPLE, KERNELS, strict=True)):
            out, is_last = wide // 2, stage == len(UPSAMPLE) - 1
            hum = (
                self.convolved(source, 2 * BINS, out, 1)
                if is_last
                else self.convolved(source, 2 * BINS, out, 12, strides=[UPSAMPLE[1]], pads=[3, 3])
            )
            x = self.g(
                "ConvTranspose",
                self.g("LeakyRelu", x, alpha=0.1),
                self.weights(wide, out, kernel, fan_in=wide * kernel // rate),
                strides=[rate],
                pads=[(kernel - rate) // 2] * 2,
            )
            if is_last:  # as many columns as an STFT has
                x = self.g("Pad", x, np.array([0, 0, 1, 0, 0, 0]), mode="reflect")
            x = self.g("Add", x, self.snake_block(hum, style, out))
            x, wide = self.snake_block(x, style, out), out
        post = self.convolved(self.g("LeakyRelu", x, alpha=0.01), wide, 2 * BINS, 7, gain=0.3)
        self.inverse_stft(post)

    def snake_block(self, x: str, style: str, wide: int) -> str:
        """AdaINResBlock1 with one dilation: x + sin²(a x) / a after each normalisation."""
        made = x
        for dilation in (3, 1):
            made = self.adain(made, style, wide)
            made = self.g("Add", made, self.g("Pow", self.g("Sin", made), 2.0))
            made = self.convolved(made, wide, wide, 3, dilations=[dilation], pads=[dilation] * 2)
        return self.g("Add", made, x)

    def source(self, pitch: str) -> str:
        """Harmonics of the pitch with a little noise, as an STFT: (1, 2 * bins, time)."""
        g = self.g
        stretch = np.array([1, 1, SAMPLES_PER_PITCH], np.float32)
        turns = g(
            "CumSum",
            g("Div", g("Resize", pitch, "", stretch, mode="nearest"), float(SAMPLE_RATE)),
            2,
        )
        multiples = np.arange(1, HARMONICS + 1, dtype=np.float32).reshape(1, -1, 1)
        turns = g("Mod", g("Mul", turns, multiples), 1.0, fmod=1)
        waves = g("Mul", g("Sin", g("Mul", turns, float(2 * np.pi))), 0.1)
        waves = g("Add", waves, g("Mul", g("RandomNormalLike", waves), 0.003))
        mixed = g("Tanh", self.convolved(waves, HARMONICS, 1, 1, gain=3.0))
        kernels = np.concatenate(fourier())[:, None, :].astype(np.float32)
        return g("Conv", mixed, kernels, strides=[HOP], pads=[FFT // 2] * 2)

    def inverse_stft(self, post: str) -> None:
        g = self.g
        logs, angles = g.several(2, "Split", post, np.array([BINS, BINS]), axis=1)
        magnitudes, phases = g("Exp", g("Sub", logs, 1.0)), g("Sin", angles)
        real = g("Mul", magnitudes, g("Cos", phases))
        imaginary = g("Mul", magnitudes, g("Sin", phases))
        # Each bin but the first and the last stands for two; a Hann window of hop 5 in 20 adds
        # up to 1.5 of its square.
        doubled = np.full((BINS, 1), 2.0)
        doubled[[0, -1]] = 1.0
        kernels = np.concatenate([part * doubled / FFT / 1.5 for part in fourier()])[:, None, :]
        both = g("Concat", real, imaginary, axis=1)
        wave = g(
            "ConvTranspose", both, kernels.astype(np.float32), strides=[HOP], pads=[FFT // 2] * 2
        )
        g("Reshape", wave, np.array([1, -1]), to_output="waveform")


def fourier() -> tuple[np.ndarray, np.ndarray]:
    """Windowed cosines and negative sines: each (bins, FFT)."""
    window = np.hanning(FFT + 1)[:-1]
    angles = 2 * np.pi * np.outer(np.arange(BINS), np.arange(FFT)) / FFT
    return np.cos(angles) * window, -np.sin(angles) * window
