"""From noise to a spectrogram: conditional flow matching with guidance, by Euler's steps."""

import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from sirene_inference.f5.dit import DiT

GUIDANCE = 2.0
SWAY = -1.0
# Where few steps are best taken, in 32nds: empirically pruned step sampling, arXiv 2505.19931.
PRUNED = {
    5: (0, 2, 4, 8, 16, 32),
    6: (0, 2, 4, 6, 8, 16, 32),
    7: (0, 2, 4, 6, 8, 16, 24, 32),
    10: (0, 2, 4, 6, 8, 12, 16, 20, 24, 28, 32),
    12: (0, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32),
    16: (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32),
}


def times(steps: int) -> list[float]:
    """steps + 1 times from 0 to 1, close to each other at the beginning (sway sampling)."""
    even = [at / 32 for at in PRUNED.get(steps, ())] or [at / steps for at in range(steps + 1)]
    return [at + SWAY * (math.cos(math.pi / 2 * at) - 1 + at) for at in even]


@torch.inference_mode()
def sample(
    network: DiT,
    heard: Tensor,
    symbols: Tensor,
    *,
    frames: int,
    steps: int,
    seed: int,
) -> Tensor:
    """The spectrogram of the reference and what follows it: (frames, mels).

    heard: the reference's, (its frames, mels). symbols: of its transcript and the text, (count,).

    Raises: Stopped.
    """
    count = max(len(symbols) + 1, len(heard) + 1, frames)
    reference = functional.pad(heard, (0, 0, 0, count - len(heard)))[None]
    embed = network.text_embed
    texts = torch.cat([embed(symbols, count, drop=drop) for drop in (False, True)])
    # Guidance needs the answer for no reference and no text too: both in one pass.
    known = torch.cat((reference, torch.zeros_like(reference)))
    random = torch.Generator(heard.device).manual_seed(seed)
    x = torch.randn(
        (1, count, heard.shape[1]), generator=random, device=heard.device, dtype=torch.float32
    )
    for now, then in pairwise(times(steps)):
        noisy = x.to(heard.dtype).expand(2, -1, -1)
        with_all, without = network(noisy, known, texts, now).float().chunk(2)
        x = x + (then - now) * (with_all + (with_all - without) * GUIDANCE)
    x[:, : len(heard)] = heard.float()
    return x[0]
