"""Weights for small networks of real shapes: random, the same on every machine, and alive."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn


def fill(
    build: Callable[[], nn.Module], random: np.random.Generator, gain: float = 1.0
) -> dict[str, Tensor]:
    """Tensors by name for the network that `build` makes: each layer keeps its input's loudness."""
    with torch.device("meta"):
        network = build()
    return {
        name: torch.from_numpy(_values(name, tuple(tensor.shape), random) * np.float32(gain))
        if name.endswith("weight") and len(tensor.shape) > 1
        else torch.from_numpy(_values(name, tuple(tensor.shape), random))
        for name, tensor in network.state_dict().items()
    }


def _values(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    last = name.rsplit(".", 1)[-1]
    if last == "cluster_usage":
        return np.ones(shape, np.float32)
    if last in ("scale", "gamma"):
        return np.full(shape, 0.3, np.float32)
    if last in ("bias", "alpha", "beta"):
        return (0.05 * random.standard_normal(shape)).astype(np.float32)
    if len(shape) == 1:  # a norm's
        return (1 + 0.1 * random.standard_normal(shape)).astype(np.float32)
    values = random.standard_normal(shape).astype(np.float32)
    if "embed" in name:
        return values
    return values / np.float32(np.sqrt(np.prod(shape[1:])))
