"""The codec's encoder, Mimi's (arXiv 2410.00037): a clip into frames of codes."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from sirene_inference.attention import Angles, Attention, KeyValues, angles
from sirene_inference.qwen.config import EncoderConfig
from sirene_inference.qwen.decoder import Scale


class Conv(nn.Module):
    """Causal; its output has ceil(samples / stride) samples."""

    def __init__(
        self,
        channels: int,
        out: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
        edge: Literal["constant", "replicate"] = "constant",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, out, kernel, stride, dilation=dilation, bias=bias)
        self._span, self._stride, self._edge = (kernel - 1) * dilation + 1, stride, edge

    def forward(self, x: Tensor) -> Tensor:
        lacking = -x.shape[2] % self._stride
        x = functional.pad(x, (self._span - self._stride, lacking), mode=self._edge)
        out: Tensor = self.conv(x)
        return out


class Residual(nn.Module):
    def __init__(self, channels: int, dilation: int, config: EncoderConfig) -> None:
        super().__init__()
        inner = channels // config.compress
        self.block = nn.Sequential(
            nn.ELU(),
            Conv(channels, inner, config.residual_kernel_size, dilation=dilation),
            nn.ELU(),
            Conv(inner, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.block(x)
        return out


class Convolutions(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        channels = config.num_filters
        layers: list[nn.Module] = [Conv(1, channels, config.kernel_size)]
        for ratio in reversed(config.upsampling_ratios):
            for depth in range(config.num_residual_layers):
                layers.append(Residual(channels, config.dilation_growth_rate**depth, config))
            layers += [nn.ELU(), Conv(channels, 2 * channels, 2 * ratio, stride=ratio)]
            channels *= 2
        layers += [nn.ELU(), Conv(channels, config.hidden_size, config.last_kernel_size)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class Mlp(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, inner, bias=False)
        self.fc2 = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class Layer(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.self_attn = Attention(
            width,
            heads=config.num_attention_heads,
            key_heads=config.num_key_value_heads,
            head_dim=config.head_size,
        )
        self.mlp = Mlp(width, config.intermediate_size)
        self.input_layernorm = nn.LayerNorm(width, eps=config.norm_eps)
        self.post_attention_layernorm = nn.LayerNorm(width, eps=config.norm_eps)
        self.self_attn_layer_scale = Scale(width)
        self.mlp_layer_scale = Scale(width)

    def forward(self, x: Tensor, turned: Angles) -> Tensor:
        heard = self.self_attn(self.input_layernorm(x), turned, KeyValues())
        x = x + self.self_attn_layer_scale(heard)
        out: Tensor = x + self.mlp_layer_scale(self.mlp(self.post_attention_layernorm(x)))
        return out


class Transformer(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self._config = config
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Tensor) -> Tensor:
        turned = angles(0, x.shape[1], self._config.head_size, self._config.rope_theta, x)
        for layer in self.layers:
            x = layer(x, turned)
        return x


class Codebook(nn.Module):
    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.cluster_usage = nn.Parameter(torch.empty(size))
        self.embed_sum = nn.Parameter(torch.empty(size, width))

    def vectors(self) -> Tensor:
        return self.embed_sum / self.cluster_usage.clamp(min=1e-5)[:, None]


class CodebookLayer(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.codebook = Codebook(config.codebook_size, config.codebook_dim)


class Quantizer(nn.Module):
    def __init__(self, count: int, config: EncoderConfig) -> None:
        super().__init__()
        inner = config.vector_quantization_hidden_dimension
        self.input_proj = nn.Conv1d(config.hidden_size, inner, 1, bias=False)
        self.layers = nn.ModuleList(CodebookLayer(config) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        """(1, width, frames) -> (frames, codebooks)"""
        rest, codes = self.input_proj(x)[0].T, []
        for layer in self.layers:
            assert isinstance(layer, CodebookLayer)
            vectors = layer.codebook.vectors()
            codes.append(torch.cdist(rest[None].float(), vectors[None].float())[0].argmin(dim=-1))
            rest = rest - vectors[codes[-1]]
        return torch.stack(codes, dim=1)


class SplitQuantizer(nn.Module):
    def __init__(self, config: EncoderConfig, groups: int) -> None:
        super().__init__()
        first = config.num_semantic_quantizers
        self.semantic_residual_vector_quantizer = Quantizer(first, config)
        self.acoustic_residual_vector_quantizer = Quantizer(groups - first, config)

    def forward(self, x: Tensor) -> Tensor:
        meaning = self.semantic_residual_vector_quantizer(x)
        return torch.cat((meaning, self.acoustic_residual_vector_quantizer(x)), dim=1)


class Encoder(nn.Module):
    def __init__(self, config: EncoderConfig, *, groups: int, frame_samples: int) -> None:
        """groups: how many of the published codebooks are used; the further ones are not loaded."""
        super().__init__()
        self._frame_samples = frame_samples
        self.encoder = Convolutions(config)
        self.encoder_transformer = Transformer(config)
        halving = frame_samples // math.prod(config.upsampling_ratios)
        self.downsample = Conv(
            config.hidden_size,
            config.hidden_size,
            2 * halving,
            stride=halving,
            bias=False,
            edge="replicate",
        )
        self.quantizer = SplitQuantizer(config, groups)

    @torch.inference_mode()
    def forward(self, samples: Tensor) -> Tensor:
        """(samples,) -> (frames, groups) int64; a last frame that is not full counts."""
        x = self.encoder(samples[None, None])
        x = self.encoder_transformer(x.transpose(1, 2)).transpose(1, 2)
        codes: Tensor = self.quantizer(self.downsample(x))
        return codes[: math.ceil(len(samples) / self._frame_samples)]
