"""The diffusion transformer: which way a noisy spectrogram has to move."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sirene_inference.f5.shape import HEAD_DIM, Shape
from sirene_inference.f5.text_embedding import TextEmbedding

# The same in every published checkpoint.
POSITION_GROUPS, POSITION_KERNEL = 16, 31
TIME_WIDTH, TIME_SCALE = 256, 1000


class PositionConv(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        convs = [
            nn.Conv1d(
                width, width, POSITION_KERNEL, groups=POSITION_GROUPS, padding=POSITION_KERNEL // 2
            )
            for _ in range(2)
        ]
        self.conv1d = nn.Sequential(convs[0], nn.Mish(), convs[1], nn.Mish())

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv1d(x.transpose(1, 2)).transpose(1, 2)
        return out


class InputEmbedding(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.proj = nn.Linear(2 * shape.mels + shape.text_width, shape.width)
        self.conv_pos_embed = PositionConv(shape.width)

    def forward(self, noisy: Tensor, heard: Tensor, text: Tensor) -> Tensor:
        x = self.proj(torch.cat((noisy, heard, text), dim=-1))
        out: Tensor = self.conv_pos_embed(x) + x
        return out


class TimeEmbedding(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.time_mlp = nn.Sequential(
            nn.Linear(TIME_WIDTH, width), nn.SiLU(), nn.Linear(width, width)
        )

    def forward(self, time: float, like: Tensor) -> Tensor:
        """(1, width)"""
        half = TIME_WIDTH // 2
        steps = torch.arange(half, device=like.device, dtype=torch.float32)
        turns = TIME_SCALE * time * torch.exp(steps * -(math.log(10000) / (half - 1)))
        out: Tensor = self.time_mlp(torch.cat((turns.sin(), turns.cos()))[None].to(like.dtype))
        return out


class Modulation(nn.Module):
    """A norm without weights of its own, and what the time makes of it."""

    def __init__(self, width: int, parts: int) -> None:
        super().__init__()
        self._parts = parts
        self.linear = nn.Linear(width, parts * width)

    def forward(self, time: Tensor) -> tuple[Tensor, ...]:
        made: Tensor = self.linear(functional.silu(time))
        return made.chunk(self._parts, dim=1)


def _normed(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return functional.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        inner = heads * HEAD_DIM
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, inner) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(inner, width)])

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        queries = _turned(self._split(self.to_q(x)), turns)
        keys = _turned(self._split(self.to_k(x)), turns)
        values = self._split(self.to_v(x))
        seen = functional.scaled_dot_product_attention(queries, keys, values)
        out: Tensor = self.to_out[0](seen.transpose(1, 2).flatten(2))
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], -1, HEAD_DIM).transpose(1, 2)


def _turned(x: Tensor, turns: Tensor) -> Tensor:
    """x: (batch, heads, frames, HEAD_DIM): each pair of neighbours is turned by its angle."""
    first, second = x.float().reshape(*x.shape[:-1], -1, 2).unbind(-1)
    cos, sin = turns.cos(), turns.sin()
    turned = torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1)
    return turned.flatten(-2).to(x.dtype)


class FeedForward(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        first = nn.Sequential(nn.Linear(width, inner), nn.GELU(approximate="tanh"))
        # The identity stands where training drops out, so that the names are the published ones.
        self.ff = nn.Sequential(first, nn.Identity(), nn.Linear(inner, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.ff(x)
        return out


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attn_norm = Modulation(shape.width, 6)
        self.attn = Attention(shape.width, shape.heads)
        self.ff = FeedForward(shape.width, shape.inner)

    def forward(self, x: Tensor, time: Tensor, turns: Tensor) -> Tensor:
        shift, scale, gate, ff_shift, ff_scale, ff_gate = self.attn_norm(time)
        x = x + gate * self.attn(_normed(x, scale, shift), turns)
        out: Tensor = x + ff_gate * self.ff(_normed(x, ff_scale, ff_shift))
        return out


class DiT(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.time_embed = TimeEmbedding(shape.width)
        self.text_embed = TextEmbedding(shape)
        self.input_embed = InputEmbedding(shape)
        self.transformer_blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.norm_out = Modulation(shape.width, 2)
        self.proj_out = nn.Linear(shape.width, shape.mels)

    def forward(
        self,
        noisy: Tensor,
        heard: Tensor,
        texts: Tensor,
        time: float,
    ) -> Tensor:
        """The velocity, each (batch, frames, mels).

        heard: the reference's spectrogram, zero where there is none. texts: (batch, frames, text
        width). time: 0 is noise, 1 is speech; the same for the whole batch.

        Raises: Stopped, as each layer may (weights.py).
        """
        at = self.time_embed(time, noisy)
        x = self.input_embed(noisy, heard, texts)
        steps = torch.arange(0, HEAD_DIM, 2, device=x.device, dtype=torch.float32) / HEAD_DIM
        frames = torch.arange(x.shape[1], device=x.device, dtype=torch.float32)
        turns = torch.outer(frames, 1 / 10000.0**steps)
        for block in self.transformer_blocks:
            x = block(x, at, turns)
        scale, shift = self.norm_out(at)
        out: Tensor = self.proj_out(_normed(x, scale, shift))
        return out
