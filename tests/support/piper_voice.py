"""A Piper voice of some 20 KB for tests: the published format, audible, and nothing trained.

The graph has the signature and the config of every published voice. Each phoneme has a length and
a timbre: vowels hum on the speaker's pitch, consonants hiss, marks and pads are silent; so the
length of the audio follows the text, and its pitch tells who speaks.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.support.onnx_graph import OnnxGraph

SAMPLE_RATE = 22050
HOP = 256
OPSET = 15
BASE_HZ = 140.0
# Each next speaker is a major third higher.
INTERVAL = 1.26
HARMONICS = 8
NAMES = ("anna", "bela", "cleo", "dora", "elsa", "fania", "greta", "hilda")

VOWELS = "aeiouyæøœɐɑɒɔɘəɚɛɜɞɤɨɪɯɵʉʊʌʏᵻ"
VOICED = "bdjlmnrvwzðŋɖɟɡɢɣɥɦɫɬɭɮɱɲɳɴɹɺɻɽɾʀʁʎʐʑʒʔʕʝʟβ"
VOICELESS = "cfhkpqstxçħɕɧɸʂʃʈʋʍʘʙʛθχⱱ"
MARKS = " !'(),-.:;?ˈˌːˑʰʲˤ̩̯̪̃"
SYMBOLS = ["_", "^", "$", *MARKS, *VOWELS, *VOICED, *VOICELESS]

FRAMES = {"_": 1.0, "^": 3.0, "$": 3.0, " ": 4.0, "ˈ": 1.0, "ː": 4.0}
VOWEL_FRAMES, CONSONANT_FRAMES, PAUSE_FRAMES = 7.0, 5.0, 12.0


def pitch_hz(speaker: int = 0) -> float:
    return float(BASE_HZ * INTERVAL**speaker)


def build(
    path: Path,
    *,
    speakers: int = 1,
    espeak_voice: str = "en-us",
    phoneme_type: str = "espeak",
    pad_bytes: int = 0,
) -> Path:
    """Write `path`, which ends in .onnx, and `path`.json.

    pad_bytes: makes the file larger by so much, with bytes that do not compress.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(_model(speakers, pad_bytes), path)
    described = config(speakers, espeak_voice, phoneme_type)
    Path(f"{path}.json").write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    return path


def config(speakers: int, espeak_voice: str, phoneme_type: str) -> dict[str, object]:
    """What lies beside the graph."""
    return {
        "audio": {"sample_rate": SAMPLE_RATE, "quality": "x_low"},
        "espeak": {"voice": espeak_voice},
        "language": {"code": espeak_voice.replace("-", "_"), "family": espeak_voice[:2]},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": phoneme_type,
        "phoneme_map": {},
        "phoneme_id_map": {symbol: [index] for index, symbol in enumerate(SYMBOLS)},
        "num_symbols": len(SYMBOLS),
        "num_speakers": speakers,
        "speaker_id_map": {NAMES[i]: i for i in range(speakers)} if speakers > 1 else {},
        "piper_version": "1.0.0",
    }


def _lengths() -> np.ndarray:
    """Frames of each symbol."""
    frames = dict.fromkeys(VOWELS, VOWEL_FRAMES) | dict.fromkeys(",.;:!?", PAUSE_FRAMES)
    frames |= dict.fromkeys(VOICED + VOICELESS, CONSONANT_FRAMES) | FRAMES
    return np.array([frames.get(symbol, 0.5) for symbol in SYMBOLS], np.float32)


def _timbres() -> np.ndarray:
    """(symbols, harmonics + 1): the strength of each harmonic, and of the hiss."""
    timbres = np.zeros((len(SYMBOLS), HARMONICS + 1), np.float32)
    for index, symbol in enumerate(SYMBOLS):
        if symbol in VOWELS or symbol in VOICED:
            # The first harmonic leads everywhere; a second one gives each symbol its colour.
            strengths = 0.6 ** np.arange(HARMONICS)
            strengths[1 + index % (HARMONICS - 1)] += 0.15
            loudness = 0.8 if symbol in VOWELS else 0.4
            timbres[index, :HARMONICS] = loudness * strengths / strengths.sum()
        if symbol in VOICELESS or symbol in "vzðʒ":
            timbres[index, HARMONICS] = 0.15
    return timbres


def _model(speakers: int, pad_bytes: int) -> onnx.ModelProto:
    g = OnnxGraph()
    flat, axis0, axis1 = np.array([-1]), np.array([0]), np.array([1])
    ids = g("Reshape", "input", flat)
    noise_scale, length_scale, noise_w = (g("Gather", "scales", index) for index in range(3))

    # How long each symbol lasts: jittered, stretched, and rounded up, once in the graph.
    frames = g("Gather", _lengths(), ids)
    jitter = g("Mul", g("RandomNormalLike", frames), g("Mul", noise_w, 0.1))
    frames = g("Ceil", g("Mul", g("Mul", frames, g("Exp", jitter)), length_scale))

    # Which symbol sounds in each frame: as many as have ended by then.
    ends = g("CumSum", frames, 0)
    total = g("Cast", g("ReduceSum", frames, axis0, keepdims=0), to=TensorProto.INT64)
    time = g("Cast", g("Range", 0, total, 1), to=TensorProto.FLOAT)
    ended = g("LessOrEqual", g("Unsqueeze", ends, axis0), g("Unsqueeze", time, axis1))
    index = g("ReduceSum", g("Cast", ended, to=TensorProto.INT64), axis1, keepdims=0)
    sounding = g("Gather", ids, index)

    # Strengths glide from frame to frame, so that nothing clicks: (harmonics + 1, samples).
    strengths = g("Transpose", g("Gather", _timbres(), sounding), perm=[1, 0])
    strengths = g("Unsqueeze", strengths, np.array([0, 2]))
    stretch = np.array([1, 1, 1, HOP], np.float32)
    strengths = g("Resize", strengths, "", stretch, mode="linear")
    strengths = g("Squeeze", strengths, np.array([0, 2]))

    # The harmonics of one steady pitch, and noise.
    count = g("Mul", total, HOP)
    clock = g("Cast", g("Range", 0, count, 1), to=TensorProto.FLOAT)
    pitches = np.array([pitch_hz(speaker) for speaker in range(speakers)], np.float32)
    pitch = g("Gather", pitches, "sid" if speakers > 1 else axis0)
    phase = g("Mul", clock, g("Mul", pitch, float(2 * np.pi / SAMPLE_RATE)))
    multiples = np.arange(1, HARMONICS + 1, dtype=np.float32)[:, None]
    waves = g("Sin", g("Mul", multiples, g("Unsqueeze", phase, axis0)))
    noise = g("Mul", g("RandomNormalLike", clock), noise_scale)
    sources = g("Concat", waves, g("Unsqueeze", noise, axis0), axis=0)
    audio = g("Tanh", g("ReduceSum", g("Mul", sources, strengths), axis0, keepdims=0))
    g("Reshape", audio, np.array([1, 1, 1, -1]), to_output="output")

    if pad_bytes:
        padding = np.random.default_rng(7).integers(0, 256, pad_bytes, np.uint8)
        g.weights.append(numpy_helper.from_array(padding, "padding"))
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, ["batch_size", "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, ["batch_size"]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if speakers > 1:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, ["batch_size"]))
    output = helper.make_tensor_value_info(
        "output", TensorProto.FLOAT, ["batch_size", 1, 1, "time"]
    )
    return g.model(inputs, [output], OPSET)
