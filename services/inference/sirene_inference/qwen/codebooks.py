"""The codec's codebooks: a frame's codes into one vector."""

import torch
from torch import Tensor, nn

from sirene_inference.qwen.config import DecoderConfig


class Codebook(nn.Module):
    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.cluster_usage = nn.Parameter(torch.empty(size))
        self.embedding_sum = nn.Parameter(torch.empty(size, width))


class CodebookLayer(nn.Module):
    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self._codebook = Codebook(size, width)

    def forward(self, codes: Tensor) -> Tensor:
        """(frames,) -> (frames, width)"""
        usage = self._codebook.cluster_usage[codes].clamp(min=1e-5)
        return self._codebook.embedding_sum[codes] / usage[:, None]


class CodebookStack(nn.Module):
    def __init__(self, count: int, size: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CodebookLayer(size, width) for _ in range(count))


class Quantizer(nn.Module):
    def __init__(self, count: int, config: DecoderConfig) -> None:
        super().__init__()
        width = config.codebook_dim // 2
        self.vq = CodebookStack(count, config.codebook_size, width)
        self.output_proj = nn.Conv1d(width, config.codebook_dim, 1, bias=False)

    def forward(self, codes: Tensor) -> Tensor:
        """(frames, codebooks) -> (1, codebook_dim, frames)"""
        parts = [layer(codes[:, index]) for index, layer in enumerate(self.vq.layers)]
        out: Tensor = self.output_proj(torch.stack(parts).sum(dim=0).T[None])
        return out


class SplitQuantizer(nn.Module):
    """The first codebook tells what is said, the others how it sounds."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.rvq_first = Quantizer(1, config)
        self.rvq_rest = Quantizer(config.num_quantizers - 1, config)

    def forward(self, codes: Tensor) -> Tensor:
        out: Tensor = self.rvq_first(codes[:, :1]) + self.rvq_rest(codes[:, 1:])
        return out
