"""F5-TTS and Qwen3-TTS at their published sizes, with random weights: load, first audio, speed.

    python -m bench.torch_speech build qwen-0.6B /tmp/qwen     # 2.1 GB; f5tts: 1.4 GB
    python -m bench.torch_speech run qwen-0.6B /tmp/qwen [--frames 25] [--device cuda]

Random weights speak as slowly as trained ones, but never end: a speech is stopped after so many
frames of 80 ms. The memory is this process's own, measured before, loaded, after speech, and after
the model was let go.
"""

import argparse
import gc
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import psutil
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from sirene_inference import backends
from sirene_inference.cancellation import Cancellation
from sirene_inference.f5 import dit, vocos
from sirene_inference.f5.shape import Shape
from sirene_inference.prompt import Prompt, prompted
from sirene_inference.qwen.config import CodecConfig, ModelConfig
from sirene_inference.qwen.decoder import Decoder
from sirene_inference.qwen.talker import Talker
from sirene_shared.manifest import Manifest
from tests.support import f5_model, qwen_model, speech_clip

SIZES = {
    "qwen-0.6B": {"hidden_size": 1024, "intermediate_size": 3072},
    "qwen-1.7B": {"hidden_size": 2048, "intermediate_size": 6144},
}
FAMILIES = (*SIZES, "f5tts")
HEADS = {"num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128}
WORDS = 151_936
SENTENCE = "The quick brown fox jumps over the lazy dog while the band plays."
FRAME_S = 0.08


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("build", "run"))
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--threads", type=int, default=psutil.cpu_count(logical=False) or 1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments = parser.parse_args()
    if arguments.what == "build":
        build = build_f5 if arguments.family == "f5tts" else build_qwen
        build(arguments.folder, arguments.family)
    else:
        run(arguments)


def run(arguments: argparse.Namespace) -> None:
    folder, family = arguments.folder, arguments.family
    backend = "f5tts" if family == "f5tts" else "qwen"
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*.*")}
    module = backends.find(backend)
    told = [f"before {megabytes()} MB"]
    began = time.perf_counter()
    voice = module.load(
        files, manifest(backend), "v", device=arguments.device, threads=arguments.threads
    )
    load_s = time.perf_counter() - began
    told.append(f"loaded {megabytes()} MB")
    if backend == "f5tts":
        clip = speech_clip.wav(4.0)
        voice = prompted(voice, Prompt(clip=clip, transcript="Four seconds of speech, or nearly."))
    used_s = time.process_time()
    first_s, made_s, took_s = spoken(voice, arguments.frames)
    used_s = time.process_time() - used_s
    told.append(f"after speech {megabytes()} MB")
    rate = took_s / made_s
    print(
        f"{family} on {voice.device}, {arguments.threads} threads: load {load_s:.2f} s, first audio"
        f" {first_s:.2f} s, {made_s:.2f} s of audio in {took_s:.2f} s, real-time factor {rate:.2f},"
        f" {used_s / made_s:.1f} CPU s for each second"
    )
    voice.close()
    del voice
    gc.collect()
    print(", ".join([*told, f"let go {megabytes()} MB"]))
    if arguments.device == "cuda":
        print(f"on the GPU at most {torch.cuda.max_memory_allocated() / 1e6:.0f} MB")


def spoken(voice: backends.Voice, frames: int) -> tuple[float, float, float]:
    """Seconds until the first audio, of audio, and in all."""
    began, first_s, made = time.perf_counter(), 0.0, 0
    pieces: Iterator[Any] = voice.speak(
        SENTENCE, voice="", language="", speed=1.0, seed=7, cancelled=Cancellation()
    )
    for piece in islice(pieces, 3 + frames // 8):
        first_s = first_s or time.perf_counter() - began
        made += len(piece)
        if made >= frames * FRAME_S * voice.sample_rate:
            break
    return first_s, made / voice.sample_rate, time.perf_counter() - began


def megabytes() -> int:
    memory = psutil.Process().memory_full_info()
    return round(memory.uss / 1e6)


def manifest(backend: str) -> Manifest:
    variant = {"files": ["x"], "url": "https://example.org/"}
    return msgspec.convert(
        {
            "name": backend, "description": "", "backend": backend, "license": "MIT",
            "variants": {"v": variant}, "defaults": {"variant": "v"},
        },
        Manifest,
    )  # fmt: skip


def build_qwen(folder: Path, family: str) -> None:
    qwen_model.build(folder)  # the texts beside the weights
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    talker = config["talker_config"]
    talker |= SIZES[family] | HEADS | {"num_hidden_layers": 28, "num_code_groups": 16}
    talker |= {"vocab_size": 3072, "text_vocab_size": WORDS, "text_hidden_size": 2048}
    talker |= {"codec_eos_token_id": 2150, "code_predictor_config": {
        **HEADS, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 5,
        "vocab_size": 2048, "num_code_groups": 16, "rope_theta": 1e6,
    }}  # fmt: skip
    (folder / "config.json").write_bytes(msgspec.json.encode(config))
    parsed = msgspec.convert(config, ModelConfig)
    tensors = filled(lambda: Talker(parsed.talker_config), torch.bfloat16)
    tensors["codec_head.weight"][parsed.talker_config.codec_eos_token_id] = 0
    save_file({f"talker.{name}": each for name, each in tensors.items()}, folder / qwen_model.FILE)
    generation = {"max_new_tokens": 2048}
    (folder / "generation_config.json").write_bytes(msgspec.json.encode(generation))
    codec = {"model_type": "qwen3_tts_tokenizer_12hz", "decoder_config": {
        "codebook_dim": 512, "hidden_size": 512, "intermediate_size": 1024, "head_dim": 64,
        "num_attention_heads": 16, "num_key_value_heads": 16,
    }}  # fmt: skip
    place = folder / "speech_tokenizer"
    (place / "config.json").write_bytes(msgspec.json.encode(codec))
    shape = msgspec.convert(codec, CodecConfig).decoder_config
    tensors = filled(lambda: Decoder(shape), torch.float32)
    save_file({f"decoder.{name}": each for name, each in tensors.items()}, place / qwen_model.FILE)


def build_f5(folder: Path, family: str) -> None:
    f5_model.build(folder)
    shape = Shape(
        width=1024, depth=22, heads=16, inner=2048, mels=100, text_width=512, text_depth=4,
        text_inner=1024, symbols=len(f5_model.SYMBOLS) + 1,
    )  # fmt: skip
    tensors = filled(lambda: dit.DiT(shape), torch.float32)
    tensors = {f"ema_model.transformer.{name}": each for name, each in tensors.items()}
    save_file(tensors, folder / "model.safetensors")
    sound = vocos.Shape(mels=100, width=512, inner=1536, depth=8, fft=1024)
    tensors = filled(lambda: vocos.Vocos(sound), torch.float32)
    torch.save(tensors, folder / "vocos" / "pytorch_model.bin")


def filled(build: Callable[[], nn.Module], dtype: torch.dtype) -> dict[str, Tensor]:
    with torch.device("meta"):
        shapes = build().state_dict()
    return {
        name: torch.ones(shape.shape, dtype=dtype)
        if len(shape.shape) == 1 and name.endswith(("weight", "usage"))
        else torch.empty(shape.shape, dtype=dtype).normal_(0, 0.02)
        for name, shape in shapes.items()
    }


if __name__ == "__main__":
    main()
