"""Vocos (arXiv 2306.00814): a mel spectrogram into sound."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sirene_inference.weights import Weights

HOP = 256
MAX_MAGNITUDE = 1e2


class Shape(NamedTuple):
    mels: int
    width: int
    inner: int
    depth: int
    fft: int


def shape_of(weights: Weights) -> Shape:
    """Raises: ModelDamaged."""
    width, mels, _ = weights.shape("backbone.embed.weight")
    blocks = weights.under("backbone.convnext.")
    return Shape(
        mels=mels,
        width=width,
        inner=weights.shape("backbone.convnext.0.pwconv1.weight")[0],
        depth=len({name.split(".", 1)[0] for name in blocks.tensors}),
        fft=weights.shape("head.out.weight")[0] - 2,
    )


class ConvNeXt(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.gamma = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm(self.dwconv(x).transpose(1, 2))
        inner = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(inner)))
        out: Tensor = x + inner.transpose(1, 2)
        return out


class Backbone(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed = nn.Conv1d(shape.mels, shape.width, 7, padding=3)
        self.norm = nn.LayerNorm(shape.width, eps=1e-6)
        self.convnext = nn.ModuleList(
            ConvNeXt(shape.width, shape.inner) for _ in range(shape.depth)
        )
        self.final_layer_norm = nn.LayerNorm(shape.width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.embed(x).transpose(1, 2)).transpose(1, 2)
        for block in self.convnext:
            x = block(x)
        out: Tensor = self.final_layer_norm(x.transpose(1, 2))
        return out


class Head(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.out = nn.Linear(shape.width, shape.fft + 2)


class Vocos(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self._fft = shape.fft
        self.backbone = Backbone(shape)
        self.head = Head(shape)

    @torch.inference_mode()
    def forward(self, spectrogram: Tensor) -> Tensor:
        """(frames, mels), natural logarithms -> ((frames - 1) · HOP,)"""
        made = self.head.out(self.backbone(spectrogram.T[None])).transpose(1, 2)
        magnitude, phase = made.float().chunk(2, dim=1)
        bins = torch.polar(magnitude.exp().clamp(max=MAX_MAGNITUDE), phase)
        window = torch.hann_window(self._fft, device=made.device)
        out: Tensor = torch.istft(bins, self._fft, HOP, window=window, center=True)[0]
        return out
