"""Qwen3's decoder: what the talker and the predictor have in common."""

from torch import Tensor, nn
from torch.nn import functional

from sirene_inference.attention import Angles, Attention, KeyValues, angles
from sirene_inference.qwen.config import TransformerConfig


class GatedMlp(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.self_attn = Attention(
            config.hidden_size,
            heads=config.num_attention_heads,
            key_heads=config.num_key_value_heads,
            head_dim=config.head_size,
            bias=config.attention_bias,
            norm_eps=config.rms_norm_eps,
        )
        self.mlp = GatedMlp(config.hidden_size, config.intermediate_size)
        self.input_layernorm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(self, x: Tensor, turned: Angles, past: KeyValues) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), turned, past)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Sequence:
    """How far one sequence is in one transformer."""

    def __init__(self, layers: int) -> None:
        self.length = 0
        self.layers = [KeyValues() for _ in range(layers)]


class Transformer(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self._head_dim, self._theta = config.head_size, config.rope_theta
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def begin(self) -> Sequence:
        return Sequence(len(self.layers))

    def forward(self, x: Tensor, sequence: Sequence) -> Tensor:
        """The next positions of `sequence`: (1, positions, width) -> the same, normed.

        All three axes of the published multimodal rotation count alike for speech, which makes it
        the usual one.
        """
        turned = angles(sequence.length, x.shape[1], self._head_dim, self._theta, x)
        for layer, past in zip(self.layers, sequence.layers, strict=True):
            x = layer(x, turned, past)
        sequence.length += x.shape[1]
        out: Tensor = self.norm(x)
        return out
