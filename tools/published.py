"""What the published libraries make of the tests' small models: the figures ours are held against.

    pip install qwen-tts==0.1.1 transformers==4.57.3 f5-tts==1.1.22 vocos==0.1.0   (no-deps will do)
    python tools/published.py

Writes tests/support/published/{qwen,f5}.json. Needed only when a small model changes.
"""

import hashlib
import json
import sys
import tempfile
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "shared"), str(ROOT / "services" / "inference")]
OUT = ROOT / "tests" / "support" / "published"
TEXT = "Hello world, this is a test of Some Text."
FRAMES, EVERY = 24, 997


class Absent:
    def __init__(self, *_: object) -> None:
        raise RuntimeError("not needed here")


def stand_in(name: str, **content: object) -> types.ModuleType:
    """What the libraries import but use for other models only."""
    module = types.ModuleType(name)
    vars(module).update(content)
    sys.modules[name] = module
    return module


def digest(tensors: Mapping[str, Any]) -> str:
    lines = sorted(f"{name} {list(tensor.shape)}" for name, tensor in tensors.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def qwen() -> dict[str, Any]:
    stand_in(
        "qwen_tts.core.tokenizer_25hz.vq.speech_vq",
        WhisperEncoderVQ=Absent,
        XVectorExtractor=Absent,
    )
    import torch
    from qwen_tts import Qwen3TTSModel

    from tests.support import qwen_model, speech_clip

    figures: dict[str, Any] = {}
    options = {"language": "english", "do_sample": False, "subtalker_dosample": False}
    options |= {"max_new_tokens": FRAMES + 1}

    def spoken(model: Any, name: str, speak: Any, **seeded: bool) -> None:
        codes: list[Any] = []
        generate = model.model.generate
        model.model.generate = lambda *a, **k: codes.append(generate(*a, **k)) or codes[-1]
        torch.manual_seed(7)
        (sound,), _ = speak(**options | seeded)
        model.model.generate = generate
        figures[name] = {
            "codes": codes[0][0][0].tolist(),
            "samples": [round(float(sample), 6) for sample in sound[::EVERY]],
        }

    with tempfile.TemporaryDirectory() as folder:
        for kind in ("custom_voice", "voice_design", "base"):
            place = qwen_model.build(Path(folder) / kind, kind)
            model = Qwen3TTSModel.from_pretrained(str(place), device_map="cpu", dtype=torch.float32)
            tensors = model.model.state_dict()
            figures.setdefault("tensors", {})[kind] = digest(tensors)
            if kind == "custom_voice":

                def preset(**o: Any) -> Any:
                    return model.generate_custom_voice(
                        TEXT, speaker="ryan", instruct="Speak softly.", **o
                    )

                spoken(model, kind, preset)
                spoken(model, "sampled", preset, do_sample=True, subtalker_dosample=True)
                spoken(
                    model,
                    "dialect",
                    lambda **o: model.generate_custom_voice(
                        TEXT, speaker="eric", **o | {"language": "chinese"}
                    ),
                )
            elif kind == "voice_design":
                spoken(
                    model,
                    kind,
                    lambda **o: model.generate_voice_design(TEXT, instruct="A calm voice.", **o),
                )
            else:
                clip = speech_clip.samples(), 24_000
                whole = model.create_voice_clone_prompt(clip, ref_text=speech_clip.TRANSCRIPT)
                voice = model.create_voice_clone_prompt(clip, x_vector_only_mode=True)
                figures["speaker"] = whole[0].ref_spk_embedding.tolist()
                figures["reference"] = whole[0].ref_code.tolist()
                for name, prompt in (("base", whole), ("base without transcript", voice)):
                    spoken(
                        model,
                        name,
                        lambda p=prompt, **o: model.generate_voice_clone(
                            TEXT, voice_clone_prompt=p, **o
                        ),
                    )
            codec = model.model.speech_tokenizer.model
            figures["tensors"]["decoder"] = digest(
                {
                    n: t
                    for n, t in codec.decoder.state_dict().items()
                    if "input_proj" not in n or "pre_transformer" in n
                }
            )
    return figures  # fmt: skip


def f5() -> dict[str, Any]:
    import torch

    stand_in("torchaudio.transforms", MelSpectrogram=Absent, Resample=Absent)
    scales = stand_in("torchaudio.functional.functional", _hz_to_mel=None, _mel_to_hz=None)
    stand_in("torchaudio.functional", functional=scales).__path__ = []
    stand_in("torchaudio", transforms=sys.modules["torchaudio.transforms"]).__path__ = []
    stand_in("encodec", EncodecModel=Absent)
    import f5_tts

    package = f"{next(iter(f5_tts.__path__))}/model"
    stand_in("f5_tts.model").__path__ = [package]
    stand_in("f5_tts.model.backbones").__path__ = [f"{package}/backbones"]
    import librosa
    from f5_tts.model.backbones.dit import DiT
    from f5_tts.model.cfm import CFM
    from f5_tts.model.utils import convert_char_to_pinyin, get_tokenizer
    from safetensors.torch import load_file
    from vocos.heads import ISTFTHead
    from vocos.models import VocosBackbone

    from sirene_inference import mel
    from tests.support import f5_model, speech_clip

    texts = (
        "Hello, world;this is“a”test.", "今天天气很好，我们去银行行走。", "mixed 你好abc é x",
        "Ünïcode — ça va?", "a b",
    )  # fmt: skip
    figures: dict[str, Any] = {
        "spelled": dict(zip(texts, convert_char_to_pinyin(list(texts)), strict=True))
    }
    slaney = librosa.filters.mel(sr=24_000, n_fft=1024, n_mels=128, fmax=12_000)
    htk = librosa.filters.mel(sr=24_000, n_fft=1024, n_mels=100, htk=True, norm=None)
    for name, filters in (("slaney", slaney), ("htk", htk)):
        figures[name] = [float(row.sum()) for row in filters]
    with tempfile.TemporaryDirectory() as folder:
        place = f5_model.build(Path(folder))
        shape = f5_model.NETWORK
        network = DiT(
            dim=shape.width, depth=shape.depth, heads=shape.heads, ff_mult=2, mel_dim=shape.mels,
            text_num_embeds=shape.symbols - 1, text_dim=shape.text_width,
            conv_layers=shape.text_depth,
        )  # fmt: skip
        prefix = "ema_model.transformer."
        weights = load_file(place / "model.safetensors")
        weights = {n.removeprefix(prefix): t for n, t in weights.items() if n.startswith(prefix)}
        network.load_state_dict(weights, strict=True)
        symbols, _ = get_tokenizer(str(place / "vocab.txt"), "custom")
        flow = CFM(network, odeint_kwargs={"method": "euler"}, vocab_char_map=symbols).eval()
        width = f5_model.VOCODER
        vocoder = torch.nn.ModuleDict(
            {
                "backbone": VocosBackbone(100, width.width, width.inner, width.depth),
                "head": ISTFTHead(width.width, 1024, 256, "center"),
            }
        ).eval()
        state = torch.load(place / "vocos" / "pytorch_model.bin", weights_only=True)
        own = {n: t for n, t in state.items() if not n.startswith("feature_extractor")}
        vocoder.load_state_dict(own, strict=True)
        sound = torch.from_numpy(speech_clip.samples())
        spectrum = mel.magnitudes(sound, size=1024, hop=256, center=True)
        heard = (spectrum.T @ mel.htk_filters(513, 100, 24_000)).clamp(min=1e-5).log()
        frames = len(sound) // 256
        for steps in (3, 7, 32):
            with torch.inference_mode():
                made, _ = flow.sample(
                    cond=heard[None],
                    text=convert_char_to_pinyin([f"{speech_clip.TRANSCRIPT} {TEXT}"]),
                    duration=3 * frames,
                    steps=steps,
                    cfg_strength=2.0,
                    sway_sampling_coef=-1.0,
                    seed=7,
                )
                spoken = vocoder["head"](vocoder["backbone"](made[:, frames:].transpose(1, 2)))[0]
            figures[f"{steps} steps"] = [round(float(x), 6) for x in spoken[::EVERY]]
    return figures


if __name__ == "__main__":
    for name, make in (("qwen", qwen), ("f5", f5)):
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / f"{name}.json").write_text(json.dumps(make(), ensure_ascii=False) + "\n")
        print("wrote", OUT / f"{name}.json")
