"""The codec's decoder: frames of codes into sound, as they come.

It is causal throughout, so a stream keeps what each layer still needs of its past: the ends of the
convolutions' inputs, the tails of the transposed ones, the keys in the attention's window. A piece
then costs its own frames alone, and the pieces are the whole.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sirene_inference.attention import Angles, Attention, KeyValues, angles
from sirene_inference.qwen.codebooks import SplitQuantizer
from sirene_inference.qwen.config import DecoderConfig
from sirene_inference.qwen.transformer import GatedMlp


class Stream:
    """What the decoder keeps of one sound between its pieces."""

    def __init__(self) -> None:
        self.frames = 0
        self.tails: dict[nn.Module, Tensor] = {}
        self.seen: dict[nn.Module, KeyValues] = {}

    def copy(self) -> "Stream":
        """One that goes on from here, while this one stays."""
        copied = Stream()
        copied.frames, copied.tails = self.frames, dict(self.tails)
        copied.seen = {layer: past.copy() for layer, past in self.seen.items()}
        return copied


class CausalConv(nn.Module):
    """With stride 1; (1, channels, samples)."""

    def __init__(
        self, channels: int, out: int, kernel: int, *, dilation: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, out, kernel, dilation=dilation, groups=groups)
        self._past = (kernel - 1) * dilation

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        if self._past:
            before = stream.tails.get(self)
            if before is None:
                before = x.new_zeros((*x.shape[:2], self._past))
            x = torch.cat((before, x), dim=2)
            stream.tails[self] = x[..., -self._past :]
        out: Tensor = self.conv(x)
        return out


class CausalUpsampling(nn.Module):
    def __init__(self, channels: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(channels, out, kernel, stride)
        self._stride, self._tail = stride, kernel - stride

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        # The bias comes last, or it would be added twice where two pieces overlap.
        made = functional.conv_transpose1d(x, self.conv.weight, None, self._stride)
        before = stream.tails.get(self)
        if before is not None:
            made[..., : self._tail] += before
        whole = x.shape[2] * self._stride
        stream.tails[self] = made[..., whole:]
        assert self.conv.bias is not None
        return made[..., :whole] + self.conv.bias[:, None]


class ConvNeXt(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = CausalConv(width, width, 7, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        inner = self.norm(self.dwconv(x, stream).transpose(1, 2))
        inner = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(inner)))
        out: Tensor = x + inner.transpose(1, 2)
        return out


class Scale(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x


class Layer(nn.Module):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width, eps = config.hidden_size, config.rms_norm_eps
        self.self_attn = Attention(
            width,
            heads=config.num_attention_heads,
            key_heads=config.num_key_value_heads,
            head_dim=config.head_size,
            bias=config.attention_bias,
            window=config.sliding_window,
        )
        self.mlp = GatedMlp(width, config.intermediate_size)
        self.input_layernorm = nn.RMSNorm(width, eps=eps)
        self.post_attention_layernorm = nn.RMSNorm(width, eps=eps)
        self.self_attn_layer_scale = Scale(width)
        self.mlp_layer_scale = Scale(width)

    def forward(self, x: Tensor, turned: Angles, past: KeyValues) -> Tensor:
        heard = self.self_attn(self.input_layernorm(x), turned, past)
        x = x + self.self_attn_layer_scale(heard)
        out: Tensor = x + self.mlp_layer_scale(self.mlp(self.post_attention_layernorm(x)))
        return out


class Transformer(nn.Module):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self._config = config
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.input_proj = nn.Linear(config.latent_dim, config.hidden_size)
        self.output_proj = nn.Linear(config.hidden_size, config.latent_dim)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        """(1, frames, latent) -> the same."""
        config = self._config
        x = self.input_proj(x)
        turned = angles(stream.frames, x.shape[1], config.head_size, config.rope_theta, x)
        for layer in self.layers:
            past = stream.seen.setdefault(layer, KeyValues(config.sliding_window))
            x = layer(x, turned, past)
        out: Tensor = self.output_proj(self.norm(x))
        return out


class Snake(nn.Module):
    """x + sin²(a·x) / b, with a and b stored as logarithms. BigVGAN, arXiv 2206.04658."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(channels))
        self.beta = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        alpha, beta = self.alpha.exp()[:, None], self.beta.exp()[:, None]
        return x + (x * alpha).sin().square() / (beta + 1e-9)


class Residual(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.act1, self.act2 = Snake(channels), Snake(channels)
        self.conv1 = CausalConv(channels, channels, 7, dilation=dilation)
        self.conv2 = CausalConv(channels, channels, 1)

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        inner = self.conv1(self.act1(x), stream)
        out: Tensor = x + self.conv2(self.act2(inner), stream)
        return out


class Block(nn.Module):
    def __init__(self, channels: int, rate: int) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            [
                Snake(channels),
                CausalUpsampling(channels, channels // 2, 2 * rate, rate),
                *(Residual(channels // 2, dilation) for dilation in (1, 3, 9)),
            ]
        )

    def forward(self, x: Tensor, stream: Stream) -> Tensor:
        for part in self.block:
            x = part(x) if isinstance(part, Snake) else part(x, stream)
        return x


class Decoder(nn.Module):
    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        latent, channels = config.latent_dim, config.decoder_dim
        self.quantizer = SplitQuantizer(config)
        self.pre_conv = CausalConv(config.codebook_dim, latent, 3)
        self.pre_transformer = Transformer(config)
        self.upsample = nn.ModuleList(
            nn.ModuleList([CausalUpsampling(latent, latent, ratio, ratio), ConvNeXt(latent)])
            for ratio in config.upsampling_ratios
        )
        parts: list[nn.Module] = [CausalConv(latent, channels, 7)]
        for rate in config.upsample_rates:
            parts.append(Block(channels, rate))
            channels //= 2
        self.decoder = nn.ModuleList([*parts, Snake(channels), CausalConv(channels, 1, 7)])

    @torch.inference_mode()
    def forward(self, codes: Tensor, stream: Stream) -> Tensor:
        """The next frames of `stream`: (frames, codebooks) int64 -> (samples,) in [-1, 1]."""
        x = self.pre_conv(self.quantizer(codes), stream)
        x = self.pre_transformer(x.transpose(1, 2), stream).transpose(1, 2)
        for step in self.upsample:
            assert isinstance(step, nn.ModuleList)
            for part in step:
                x = part(x, stream)
        for part in self.decoder:
            x = part(x) if isinstance(part, Snake) else part(x, stream)
        stream.frames += codes.shape[0]
        out: Tensor = x[0, 0].clamp(-1, 1)
        return out
