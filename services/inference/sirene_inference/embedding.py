"""A table of vectors, looked up by number."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Embedding(nn.Module):
    """As torch's own, but never initialised: on the meta device that would import all of torch's
    compiler, which takes seconds and a hundred megabytes."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, width))

    def forward(self, at: Tensor) -> Tensor:
        return functional.embedding(at, self.weight)
