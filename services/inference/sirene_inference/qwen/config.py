"""What a Qwen3-TTS directory says of itself; keys that are not needed here are ignored."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from sirene_shared.errors import ModelDamaged

Size = Annotated[int, Meta(ge=1, le=1 << 20)]
Depth = Annotated[int, Meta(ge=1, le=512)]
Id = Annotated[int, Meta(ge=0, le=1 << 20)]
Part = TypeVar("Part")


class TransformerConfig(msgspec.Struct, frozen=True, kw_only=True):
    hidden_size: Size
    intermediate_size: Size
    num_hidden_layers: Depth
    num_attention_heads: Depth
    num_key_value_heads: Depth
    head_dim: Size | None = None
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    attention_bias: bool = False

    @property
    def head_size(self) -> int:
        return self.head_dim or self.hidden_size // self.num_attention_heads


class PredictorConfig(TransformerConfig, frozen=True, kw_only=True):
    vocab_size: Size
    num_code_groups: Annotated[int, Meta(ge=2, le=64)]


class TalkerConfig(TransformerConfig, frozen=True, kw_only=True):
    vocab_size: Size
    text_vocab_size: Size
    text_hidden_size: Size
    num_code_groups: Annotated[int, Meta(ge=2, le=64)]
    code_predictor_config: PredictorConfig
    codec_bos_id: Id
    codec_eos_token_id: Id
    codec_pad_id: Id
    codec_think_id: Id
    codec_nothink_id: Id
    codec_think_bos_id: Id
    codec_think_eos_id: Id
    codec_language_id: dict[str, Id] = {}
    spk_id: dict[str, Id] = {}
    spk_is_dialect: dict[str, str | bool] = {}
    """Speaker -> the dialect that is spoken when Chinese is asked for."""


class SpeakerConfig(msgspec.Struct, frozen=True, kw_only=True):
    mel_dim: Size = 128
    enc_dim: Size = 1024
    enc_channels: tuple[Size, ...] = (512, 512, 512, 512, 1536)
    enc_kernel_sizes: tuple[Size, ...] = (5, 3, 3, 3, 1)
    enc_dilations: tuple[Size, ...] = (1, 2, 3, 4, 1)
    enc_attention_channels: Size = 128
    enc_res2net_scale: Size = 8
    enc_se_channels: Size = 128
    sample_rate: Size = 24_000


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """config.json"""

    talker_config: TalkerConfig
    tts_model_type: Literal["custom_voice", "voice_design", "base"]
    tts_model_size: str = ""
    speaker_encoder_config: SpeakerConfig = SpeakerConfig()
    im_start_token_id: Id
    im_end_token_id: Id
    tts_pad_token_id: Id
    tts_bos_token_id: Id
    tts_eos_token_id: Id

    @property
    def follows_instructions(self) -> bool:
        """The small model with preset voices was not trained to."""
        if self.tts_model_type == "custom_voice":
            return self.tts_model_size != "0b6"
        return self.tts_model_type == "voice_design"


class GenerationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """generation_config.json"""

    do_sample: bool = True
    temperature: Annotated[float, Meta(gt=0)] = 0.9
    top_k: Annotated[int, Meta(ge=0)] = 50
    top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    repetition_penalty: Annotated[float, Meta(gt=0)] = 1.05
    subtalker_dosample: bool = True
    subtalker_temperature: Annotated[float, Meta(gt=0)] = 0.9
    subtalker_top_k: Annotated[int, Meta(ge=0)] = 50
    subtalker_top_p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    max_new_tokens: Annotated[int, Meta(ge=1)] = 2048


class DecoderConfig(TransformerConfig, frozen=True, kw_only=True):
    hidden_size: Size = 1024
    intermediate_size: Size = 3072
    num_hidden_layers: Depth = 8
    num_attention_heads: Depth = 16
    num_key_value_heads: Depth = 16
    rms_norm_eps: float = 1e-5
    codebook_size: Size = 2048
    codebook_dim: Size = 512
    latent_dim: Size = 1024
    num_quantizers: Annotated[int, Meta(ge=2, le=64)] = 16
    sliding_window: Annotated[int, Meta(ge=1, le=8000)] = 72
    decoder_dim: Size = 1536
    upsample_rates: tuple[Size, ...] = (8, 5, 4, 3)
    upsampling_ratios: tuple[Size, ...] = (2, 2)


class EncoderConfig(TransformerConfig, frozen=True, kw_only=True):
    """Of Mimi's encoder."""

    hidden_size: Size = 512
    intermediate_size: Size = 2048
    num_hidden_layers: Depth = 8
    num_attention_heads: Depth = 8
    num_key_value_heads: Depth = 8
    norm_eps: float = 1e-5
    num_filters: Size = 64
    num_residual_layers: Depth = 1
    upsampling_ratios: tuple[Size, ...] = (8, 6, 5, 4)
    kernel_size: Size = 7
    last_kernel_size: Size = 3
    residual_kernel_size: Size = 3
    dilation_growth_rate: Size = 2
    compress: Size = 2
    codebook_size: Size = 2048
    codebook_dim: Size = 256
    num_quantizers: Annotated[int, Meta(ge=2, le=64)] = 32
    num_semantic_quantizers: Depth = 1
    vector_quantization_hidden_dimension: Size = 256


class CodecConfig(msgspec.Struct, frozen=True, kw_only=True):
    """speech_tokenizer/config.json"""

    encoder_config: EncoderConfig = EncoderConfig()
    decoder_config: DecoderConfig = DecoderConfig()
    encoder_valid_num_quantizers: Annotated[int, Meta(ge=2, le=64)] = 16
    output_sample_rate: Annotated[int, Meta(ge=8000, le=48_000)] = 24_000
    encode_downsample_rate: Size = 1920


def read(path: Path, name: str, kind: type[Part]) -> Part:
    """A null in the file is the default. Raises: ModelDamaged, naming `name`."""
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(path.read_bytes())), kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ModelDamaged(
            f"{name!r} is not what Qwen3-TTS needs: {why}",
            hint="Delete the model and pull it again.",
        ) from error


def _without_nulls(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nulls(each) for key, each in content.items() if each is not None}
    return content
