"""The text, spread over the frames that it will be spoken in."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sirene_inference.embedding import Embedding
from sirene_inference.f5.shape import Shape

MAX_FRAMES = 8192


class ResponseNorm(nn.Module):
    """Global response normalisation, arXiv 2301.00808."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(1, 1, width))
        self.beta = nn.Parameter(torch.empty(1, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        response = x.norm(p=2, dim=1, keepdim=True)
        response = response / (response.mean(dim=-1, keepdim=True) + 1e-6)
        out: Tensor = self.gamma * (x * response) + self.beta + x
        return out


class ConvNeXt(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1, self.grn = nn.Linear(width, inner), ResponseNorm(inner)
        self.pwconv2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm(self.dwconv(x.transpose(1, 2)).transpose(1, 2))
        out: Tensor = x + self.pwconv2(self.grn(functional.gelu(self.pwconv1(inner))))
        return out


class TextEmbedding(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.text_embed = Embedding(shape.symbols, shape.text_width)
        self.text_blocks = nn.ModuleList(
            ConvNeXt(shape.text_width, shape.text_inner) for _ in range(shape.text_depth)
        )

    def forward(self, symbols: Tensor, frames: int, *, drop: bool) -> Tensor:
        """symbols: (count,) int64 -> (1, frames, text width). drop: the embedding of no text."""
        # 0 fills the frames that have no symbol.
        symbols = functional.pad(symbols[:frames] + 1, (0, max(0, frames - len(symbols))))[None]
        is_filler = (symbols == 0)[..., None]
        embedded: Tensor = self.text_embed(torch.zeros_like(symbols) if drop else symbols)
        embedded = (embedded + self._positions(frames, embedded)).masked_fill(is_filler, 0)
        for block in self.text_blocks:
            embedded = block(embedded).masked_fill(is_filler, 0)
        return embedded

    def _positions(self, frames: int, like: Tensor) -> Tensor:
        width = like.shape[-1]
        steps = torch.arange(0, width, 2, device=like.device, dtype=torch.float32) / width
        at = torch.arange(frames, device=like.device, dtype=torch.float32).clamp(max=MAX_FRAMES - 1)
        turns = torch.outer(at, 1 / 10000.0**steps)
        return torch.cat((turns.cos(), turns.sin()), dim=-1).to(like.dtype)
