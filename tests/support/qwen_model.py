"""A Qwen3-TTS directory of about a megabyte for tests: the published format, and nothing trained.

Its networks have every part of the published ones, at a thirtieth of the width. Only the end of a
speech is made by hand, so that the length of the audio follows the text: a preset or described
voice ends when the text is a small part of all that was heard, a cloned one with the text's end.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from sirene_inference.qwen.config import CodecConfig, DecoderConfig, EncoderConfig, ModelConfig
from sirene_inference.qwen.decoder import Decoder
from sirene_inference.qwen.encoder import Encoder
from sirene_inference.qwen.speaker import SpeakerEncoder
from sirene_inference.qwen.talker import Talker
from tests.support import random_weights

CODES, GROUPS, WIDTH = 64, 4, 32
# The code that ends a speech.
END = CODES + 102
LANGUAGES = (
    "chinese", "english", "german", "italian", "portuguese", "spanish", "japanese", "korean",
    "french", "russian", "sichuan_dialect",
)  # fmt: skip
SPEAKERS = ("vivian", "ryan", "eric")
CONTROL = ("im_start", "im_end", "tts_pad", "tts_text_bos", "tts_text_eod")
WORDS = (
    "assistant",
    "user",
    "word",
    "xxxxxxxx",
    "the",
    "ing",
    "ence",
    "is",
    "ir",
    "st",
    "er",
    "an",
)

FILE = "model.safetensors"

# Of the talker's width, what the end of a speech is told by: where a text lies, a one, the answer.
TEXT, ONE, ANSWER = 0, 1, 2
TEXT_LOUDNESS, SHARPNESS = 20.0, 1000.0
# A speech ends when the text is less than this part of what was heard.
LAST_SHARE = 0.4
# Makes the decoder's sound about as loud as speech.
LOUDNESS = 1.0


def build(folder: Path, kind: str = "custom_voice", *, small: bool = False) -> Path:
    """kind: custom_voice, voice_design or base. small: says it is of the published smaller size."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    words = _write_tokenizer(folder)
    config = _model_config(kind, words, small)
    _write_json(folder / "config.json", config)
    parsed = _parsed(config, ModelConfig)
    talker = random_weights.fill(lambda: Talker(parsed.talker_config), random)
    _make_it_end(talker, parsed)
    tensors = {f"talker.{name}": tensor for name, tensor in talker.items()}
    if kind == "base":
        speaker = random_weights.fill(lambda: SpeakerEncoder(parsed.speaker_encoder_config), random)
        tensors |= {f"speaker_encoder.{name}": tensor for name, tensor in speaker.items()}
    save_file(tensors, folder / FILE)
    _write_json(
        folder / "generation_config.json",
        {"do_sample": True, "temperature": 0.9, "top_k": 50, "top_p": 1.0}
        | {"repetition_penalty": 1.05, "max_new_tokens": 90, "subtalker_dosample": True}
        | {"subtalker_temperature": 0.9, "subtalker_top_k": 50, "subtalker_top_p": 1.0},
    )
    _write_codec(folder / "speech_tokenizer", random)
    return folder


def _parsed(config: dict[str, Any], kind: Any) -> Any:
    return msgspec.convert(config, kind)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_tokenizer(folder: Path) -> dict[str, int]:
    """The ids of the control tokens, and under "" how many tokens there are."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    symbols = [chr(byte if byte in printable else next(others)) for byte in range(256)]
    vocabulary = {symbol: index for index, symbol in enumerate(symbols)}
    merges: list[str] = []
    for word in WORDS:
        for end in range(1, len(word)):
            merge = f"{word[:end]} {word[end]}"
            if merge not in merges:
                merges.append(merge)
            vocabulary.setdefault(word[: end + 1], len(vocabulary))
    ids = {name: len(vocabulary) + index for index, name in enumerate(("endoftext", *CONTROL))}
    _write_json(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    spellings = {name: f"<|{name}|>" if "tts" not in name else f"<{name}>" for name in ids}
    flags = dict.fromkeys(("lstrip", "normalized", "rstrip", "single_word"), False)
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "Qwen2Tokenizer",
            "processor_class": "Qwen3TTSProcessor",
            "pad_token": "<|endoftext|>",
            "eos_token": "<|im_end|>",
            "added_tokens_decoder": {
                str(id): {"content": spellings[name], "special": True, **flags}
                for name, id in ids.items()
            },
        },
    )
    _write_json(folder / "preprocessor_config.json", {"processor_class": "Qwen3TTSProcessor"})
    return ids | {"": len(vocabulary) + len(ids)}


def _model_config(kind: str, words: dict[str, int], small: bool) -> dict[str, Any]:
    layers = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": WIDTH // 4,
        "num_code_groups": GROUPS,
        "max_position_embeddings": 4096,
        "rope_theta": 1e6,
        "rms_norm_eps": 1e-6,
    }
    control = CODES + 100
    speakers = SPEAKERS if kind == "custom_voice" else ()
    predictor = {**layers, "vocab_size": CODES, "num_hidden_layers": 1, "hidden_size": WIDTH // 2}
    talker = {
        **layers,
        "num_hidden_layers": 2,
        "vocab_size": CODES + 1024,
        "text_hidden_size": WIDTH,
        "text_vocab_size": words[""],
        "hidden_act": "silu",
        "rope_scaling": {
            "interleaved": True, "mrope_section": [2, 1, 1], "rope_type": "default",
            "type": "default",
        },
        "codec_pad_id": control,
        "codec_bos_id": control + 1,
        "codec_eos_token_id": END,
        "codec_think_id": control + 3,
        "codec_nothink_id": control + 4,
        "codec_think_bos_id": control + 5,
        "codec_think_eos_id": control + 6,
        "codec_language_id": {name: CODES + index for index, name in enumerate(LANGUAGES)},
        "spk_id": {name: control + 50 + index for index, name in enumerate(speakers)},
        "spk_is_dialect": {
            name: "sichuan_dialect" if name == "eric" else False for name in speakers
        },
        "code_predictor_config": predictor,
    }  # fmt: skip
    return {
        "architectures": ["Qwen3TTSForConditionalGeneration"],
        "model_type": "qwen3_tts",
        "tokenizer_type": "qwen3_tts_tokenizer_12hz",
        "tts_model_type": kind,
        "tts_model_size": "0b6" if small else "1b7",
        "talker_config": talker,
        "speaker_encoder_config": {
            "enc_dim": WIDTH,
            "enc_channels": [16, 16, 16, 16, 48],
            "enc_attention_channels": 8,
            "enc_res2net_scale": 4,
            "enc_se_channels": 8,
            "sample_rate": 24000,
        },
        "im_start_token_id": words["im_start"],
        "im_end_token_id": words["im_end"],
        "tts_pad_token_id": words["tts_pad"],
        "tts_bos_token_id": words["tts_text_bos"],
        "tts_eos_token_id": words["tts_text_eod"],
    }


def _make_it_end(talker: dict[str, Tensor], config: ModelConfig) -> None:
    """Three of the talker's channels carry nothing else, and the end's logit reads them."""
    speech, kept = config.talker_config, [TEXT, ONE, ANSWER]
    for name, tensor in talker.items():
        if name.startswith("model.layers") and name.endswith(("o_proj.weight", "down_proj.weight")):
            tensor[kept] = 0
        if name.startswith("text_projection.linear_fc2"):
            tensor[kept] = 0
        if "codec_embedding" in name:
            tensor[:, kept] = 0
    codes = talker["model.codec_embedding.weight"]
    codes[:, ONE] = 1
    head = talker["codec_head.weight"]
    head[:, kept] = 0
    end = head[speech.codec_eos_token_id]
    end.zero_()
    if config.tts_model_type == "base":
        # The one token that ends a text goes straight to the answer.
        words = talker["text_projection.linear_fc1.weight"]
        words[0], talker["text_projection.linear_fc1.bias"][0] = 0, 0
        words[0, 0] = 1
        talker["model.text_embedding.weight"][:, 0] = 0
        talker["model.text_embedding.weight"][config.tts_eos_token_id, 0] = TEXT_LOUDNESS
        talker["text_projection.linear_fc2.weight"][:, 0] = 0
        talker["text_projection.linear_fc2.weight"][ANSWER, 0] = 1
        end[ANSWER], end[ONE] = SHARPNESS, -SHARPNESS
        return
    # One head looks everywhere alike, and so tells how much of what it sees is text.
    codes[speech.codec_pad_id] = 0
    codes[speech.codec_pad_id, [TEXT, ONE]] = torch.tensor([TEXT_LOUDNESS, 1.0])
    first, size = "model.layers.0.self_attn.", speech.head_size
    talker[f"{first}k_proj.weight"][:size] = 0
    values = talker[f"{first}v_proj.weight"]
    values[:size] = 0
    values[0, TEXT] = 1
    talker["model.layers.0.input_layernorm.weight"].fill_(1)
    heard = talker[f"{first}o_proj.weight"]
    heard[:, :size] = 0
    heard[ANSWER, 0] = 1
    whole = TEXT_LOUDNESS / float(np.sqrt(TEXT_LOUDNESS**2 / WIDTH + 1))
    end[ANSWER], end[ONE] = -SHARPNESS / whole / LAST_SHARE, SHARPNESS


def _write_codec(folder: Path, random: np.random.Generator) -> None:
    folder.mkdir(exist_ok=True)
    shape = {
        "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2,
        "head_dim": 16, "hidden_size": 32, "codebook_size": CODES,
    }  # fmt: skip
    config = {
        "architectures": ["Qwen3TTSTokenizerV2Model"],
        "model_type": "qwen3_tts_tokenizer_12hz",
        "encoder_config": {
            **shape, "num_filters": 4, "num_hidden_layers": 1, "codebook_dim": 16,
            "num_quantizers": 8, "num_semantic_quantizers": 1,
            "vector_quantization_hidden_dimension": 16, "upsample_groups": 32,
            "sampling_rate": 24000, "frame_rate": 12.5, "upsampling_ratios": [8, 6, 5, 4],
            "layer_scale_initial_scale": 0.3,
        },
        "decoder_config": {
            **shape, "num_hidden_layers": 2, "codebook_dim": 32, "latent_dim": 32,
            "num_quantizers": GROUPS, "decoder_dim": 32, "sliding_window": 72,
            "upsample_rates": [8, 5, 4, 3], "upsampling_ratios": [2, 2],
        },
        "encoder_valid_num_quantizers": GROUPS,
        "input_sample_rate": 24000,
        "output_sample_rate": 24000,
        "encode_downsample_rate": 1920,
        "decode_upsample_rate": 1920,
    }  # fmt: skip
    parsed: CodecConfig = _parsed(config, CodecConfig)
    decoder_config: DecoderConfig = parsed.decoder_config
    encoder_config: EncoderConfig = parsed.encoder_config
    decoder = random_weights.fill(lambda: Decoder(decoder_config), random, gain=0.6)
    decoder["decoder.6.conv.weight"] *= LOUDNESS
    encoder = random_weights.fill(
        lambda: Encoder(encoder_config, groups=GROUPS, frame_samples=1920), random
    )
    tensors = {f"decoder.{name}": tensor for name, tensor in decoder.items()}
    tensors |= {f"encoder.{name}": tensor for name, tensor in encoder.items()}
    save_file(tensors, folder / FILE)
    _write_json(folder / "config.json", config)
    _write_json(folder / "configuration.json", {"framework": "pytorch"})
    _write_json(
        folder / "preprocessor_config.json",
        {"feature_extractor_type": "EncodecFeatureExtractor", "feature_size": 1,
         "sampling_rate": 24000, "padding_side": "right", "padding_value": 0.0},
    )  # fmt: skip
