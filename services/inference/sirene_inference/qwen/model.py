"""A Qwen3-TTS directory in memory: talker, codec, and what a Base model clones with."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch

from sirene_inference import safetensors_file
from sirene_inference.qwen import config, tokens
from sirene_inference.qwen.config import CodecConfig, GenerationConfig, ModelConfig
from sirene_inference.qwen.decoder import Decoder
from sirene_inference.qwen.encoder import Encoder
from sirene_inference.qwen.speaker import SpeakerEncoder
from sirene_inference.qwen.talker import Talker
from sirene_inference.qwen.tokens import TextTokens
from sirene_inference.weights import Weights
from sirene_shared.errors import ModelDamaged

CONFIG, GENERATION, WEIGHTS = "config.json", "generation_config.json", "model.safetensors"
CODEC_CONFIG, CODEC_WEIGHTS = "speech_tokenizer/config.json", "speech_tokenizer/model.safetensors"
# A third of the smaller model, and a speech reads a few hundred of its rows.
WORDS = frozenset({"model.text_embedding.weight"})
NEEDED = (
    CONFIG,
    GENERATION,
    WEIGHTS,
    CODEC_CONFIG,
    CODEC_WEIGHTS,
    tokens.VOCABULARY,
    tokens.MERGES,
)


class Cloning(NamedTuple):
    """What turns a clip into a voice."""

    speaker: SpeakerEncoder
    encoder: Encoder


class Model(NamedTuple):
    config: ModelConfig
    codec_config: CodecConfig
    generation: GenerationConfig
    tokens: TextTokens
    talker: Talker
    decoder: Decoder
    cloning: Cloning | None


def load(files: Mapping[str, Path], device: torch.device) -> Model:
    """Raises: ModelDamaged, naming the file."""
    for name in NEEDED:
        if name not in files:
            raise ModelDamaged(f"the model lacks {name!r}", hint="Delete it and pull it again.")
    main = config.read(files[CONFIG], CONFIG, ModelConfig)
    codec = config.read(files[CODEC_CONFIG], CODEC_CONFIG, CodecConfig)
    _check(main, codec)
    # On a CPU float32 is twice as fast as bfloat16; the codec is held in float32 everywhere.
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    exact = torch.float32
    weights = Weights.read(files[WEIGHTS], WEIGHTS, safetensors_file.load)
    sound = Weights.read(files[CODEC_WEIGHTS], CODEC_WEIGHTS, safetensors_file.load)
    cloning = None
    if main.tts_model_type == "base":
        cloning = Cloning(
            weights.under("speaker_encoder.").fill(
                lambda: SpeakerEncoder(main.speaker_encoder_config), device, exact
            ),
            sound.under("encoder.").fill(
                lambda: Encoder(
                    codec.encoder_config,
                    groups=codec.encoder_valid_num_quantizers,
                    frame_samples=codec.encode_downsample_rate,
                ),
                device,
                exact,
            ),
        )
    return Model(
        config=main,
        codec_config=codec,
        generation=config.read(files[GENERATION], GENERATION, GenerationConfig),
        tokens=tokens.read(files),
        talker=weights.under("talker.").fill(
            lambda: Talker(main.talker_config), device, dtype, as_stored=WORDS
        ),
        decoder=sound.under("decoder.").fill(lambda: Decoder(codec.decoder_config), device, exact),
        cloning=cloning,
    )


def _check(main: ModelConfig, codec: CodecConfig) -> None:
    groups = main.talker_config.num_code_groups
    if main.talker_config.code_predictor_config.num_code_groups != groups:
        raise ModelDamaged(f"{CONFIG!r} has two numbers of code groups")
    if codec.decoder_config.num_quantizers != groups:
        raise ModelDamaged(f"{CODEC_CONFIG!r} is of another model than {CONFIG!r}")
