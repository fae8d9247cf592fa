"""How a code is drawn: the steps and their order are those of the published generation."""

from collections.abc import Set

import torch
from torch import Tensor


class Sampler:
    """Draws from logits of shape (1, codes), with random numbers of one speech alone."""

    def __init__(
        self,
        random: torch.Generator,
        *,
        sample: bool,
        temperature: float,
        top_k: int,
        top_p: float,
    ) -> None:
        self._random, self._sample = random, sample
        self._temperature, self._top_k, self._top_p = temperature, top_k, top_p

    def draw(self, logits: Tensor) -> Tensor:
        """-> (1,) int64"""
        logits = logits.float()
        if not self._sample:
            return logits.argmax(dim=-1)
        logits = logits / self._temperature
        if 0 < self._top_k < logits.shape[-1]:
            least = logits.topk(self._top_k, dim=-1).values[:, -1:]
            logits = logits.masked_fill(logits < least, -torch.inf)
        if self._top_p < 1:
            ordered, order = logits.sort(dim=-1)
            is_tail = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - self._top_p
            is_tail[:, -1] = False
            logits = logits.masked_fill(is_tail.scatter(1, order, is_tail), -torch.inf)
        return torch.multinomial(logits.softmax(dim=-1), 1, generator=self._random)[:, 0]


class FirstCodes:
    """What a frame's first code may be, given those before."""

    def __init__(self, penalty: float, *, codes: int, end: int) -> None:
        """penalty: for a code that was said before. codes: below it lies what can be heard, from it
        on control codes. end: the one that ends."""
        self._penalty = penalty
        self._codes, self._end = codes, end

    def masked(self, logits: Tensor, said: Set[int], count: int) -> Tensor:
        """logits: (1, codes) float32. said: codes drawn before; count: how many in all."""
        logits = logits.clone()
        if said and self._penalty != 1:
            at = torch.tensor([sorted(said)], device=logits.device)
            heard = logits.gather(1, at)
            quieter = torch.where(heard < 0, heard * self._penalty, heard / self._penalty)
            logits.scatter_(1, at, quieter)
        end = logits[:, self._end].clone()
        logits[:, self._codes :] = -torch.inf
        # Nothing ends before its second frame.
        if count >= 2:
            logits[:, self._end] = end
        return logits
