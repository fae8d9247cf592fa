"""Mel filters and spectrograms, as the two cloning families were trained on."""

import math

import torch
from torch import Tensor

# Slaney's scale: linear below 1000 Hz, logarithmic above.
LINEAR_HZ, LINEAR_END_HZ = 200 / 3, 1000.0
LINEAR_END = LINEAR_END_HZ / LINEAR_HZ
LOG_STEP = math.log(6.4) / 27


def htk_filters(bins: int, mels: int, rate: int) -> Tensor:
    """Triangles of height 1, evenly spaced on HTK's scale up to half the rate: (bins, mels)."""
    top = 2595 * math.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (torch.linspace(0, top, mels + 2) / 2595) - 1)
    return _triangles(torch.linspace(0, rate // 2, bins), corners)


def slaney_filters(bins: int, mels: int, rate: int, top_hz: float) -> Tensor:
    """Triangles of area 1 on Slaney's scale: (bins, mels)."""
    top = LINEAR_END + math.log(top_hz / LINEAR_END_HZ) / LOG_STEP
    steps = torch.linspace(0, top, mels + 2, dtype=torch.float64)
    above = LINEAR_END_HZ * torch.exp(LOG_STEP * (steps - LINEAR_END))
    corners = torch.where(steps < LINEAR_END, LINEAR_HZ * steps, above)
    triangles = _triangles(torch.linspace(0, rate / 2, bins, dtype=torch.float64), corners)
    return (triangles * 2 / (corners[2:] - corners[:-2])).float()


def _triangles(hz: Tensor, corners: Tensor) -> Tensor:
    widths = corners.diff()
    distance = corners[None] - hz[:, None]
    rising, falling = -distance[:, :-2] / widths[:-1], distance[:, 2:] / widths[1:]
    return torch.minimum(rising, falling).clamp(min=0)


def magnitudes(samples: Tensor, *, size: int, hop: int, center: bool) -> Tensor:
    """(samples,) -> (size / 2 + 1, frames)"""
    window = torch.hann_window(size, device=samples.device)
    spectrum = torch.stft(samples, size, hop, window=window, center=center, return_complex=True)
    return spectrum.abs()
