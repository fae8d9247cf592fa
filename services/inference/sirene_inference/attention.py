"""Causal attention with rotary positions, named as the published checkpoints name its parts."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

FIRST_ROOM = 256


class Angles(NamedTuple):
    """cos and sin of each position's rotation: (positions, head_dim) each."""

    cos: Tensor
    sin: Tensor

    def turn(self, x: Tensor) -> Tensor:
        """x: (batch, heads, positions, head_dim)."""
        first, second = x.chunk(2, dim=-1)
        return x * self.cos + torch.cat((-second, first), dim=-1) * self.sin


def angles(start: int, count: int, head_dim: int, theta: float, like: Tensor) -> Angles:
    """Of the positions start, start + 1, …; made in float32, given as `like` is."""
    half = torch.arange(0, head_dim, 2, device=like.device, dtype=torch.float32) / head_dim
    positions = torch.arange(start, start + count, device=like.device, dtype=torch.float32)
    turns = torch.outer(positions, theta**-half).repeat(1, 2)
    return Angles(turns.cos().to(like.dtype), turns.sin().to(like.dtype))


class KeyValues:
    """What one layer has seen of one sequence. With a window only as much of it as can be seen."""

    def __init__(self, window: int | None = None) -> None:
        self._window = window
        self._keys: Tensor | None = None
        self._values: Tensor | None = None
        self._length = 0

    def copy(self) -> "KeyValues":
        copied = KeyValues(self._window)
        if self._keys is not None and self._values is not None:
            copied._keys, copied._values = self._keys.clone(), self._values.clone()
            copied._length = self._length
        return copied

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """(1, heads, new positions, head_dim) each -> those of before and the new ones."""
        end = self._length + keys.shape[2]
        if self._keys is None or self._values is None or end > self._keys.shape[2]:
            room = max(FIRST_ROOM, 2 * end)
            self._keys = self._moved(self._keys, keys, room)
            self._values = self._moved(self._values, values, room)
        self._keys[:, :, self._length : end] = keys
        self._values[:, :, self._length : end] = values
        self._length = end
        seen = self._keys[:, :, :end], self._values[:, :, :end]
        if self._window is not None and end >= self._window:
            self._forget(end - (self._window - 1))
        return seen

    def _moved(self, old: Tensor | None, new: Tensor, room: int) -> Tensor:
        moved = new.new_empty((*new.shape[:2], room, new.shape[3]))
        if old is not None:
            moved[:, :, : self._length] = old[:, :, : self._length]
        return moved

    def _forget(self, count: int) -> None:
        assert self._keys is not None
        assert self._values is not None
        # Into tensors of their own: the caller still reads the old ones.
        self._keys = self._keys[:, :, count : self._length].clone()
        self._values = self._values[:, :, count : self._length].clone()
        self._length -= count


def causal_mask(new: int, seen: int, window: int | None, device: torch.device) -> Tensor | None:
    """(new, seen) true where a new position may look; None when it may look everywhere."""
    if new == 1 and (window is None or seen <= window):
        return None
    at = torch.arange(seen - new, seen, device=device)[:, None]
    keys = torch.arange(seen, device=device)[None]
    mask = keys <= at
    return mask if window is None else mask & (keys > at - window)


class Attention(nn.Module):
    def __init__(
        self,
        width: int,
        *,
        heads: int,
        key_heads: int,
        head_dim: int,
        bias: bool = False,
        norm_eps: float | None = None,
        window: int | None = None,
    ) -> None:
        """norm_eps: of the norms of queries and keys, where there are any."""
        super().__init__()
        self.key_heads, self.head_dim, self.window = key_heads, head_dim, window
        self.q_proj = nn.Linear(width, heads * head_dim, bias=bias)
        self.k_proj = nn.Linear(width, key_heads * head_dim, bias=bias)
        self.v_proj = nn.Linear(width, key_heads * head_dim, bias=bias)
        self.o_proj = nn.Linear(heads * head_dim, width, bias=bias)
        self.q_norm: nn.Module = nn.Identity()
        self.k_norm: nn.Module = nn.Identity()
        if norm_eps is not None:
            self.q_norm = nn.RMSNorm(head_dim, eps=norm_eps)
            self.k_norm = nn.RMSNorm(head_dim, eps=norm_eps)

    def forward(self, x: Tensor, turned: Angles, past: KeyValues) -> Tensor:
        """x: (1, new positions, width)."""
        count = x.shape[1]
        queries = turned.turn(self.q_norm(self._split(self.q_proj(x))))
        keys = turned.turn(self.k_norm(self._split(self.k_proj(x))))
        keys, values = past.extend(keys, self._split(self.v_proj(x)))
        # The queries that share a key are laid one after the other, so that no key is copied.
        groups = queries.shape[1] // self.key_heads
        queries = queries.reshape(1, self.key_heads, groups * count, self.head_dim)
        mask = causal_mask(count, keys.shape[2], self.window, x.device)
        if mask is not None:
            mask = mask.repeat(groups, 1)
        seen = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        seen = seen.reshape(1, self.key_heads * groups, count, self.head_dim)
        out: Tensor = self.o_proj(seen.transpose(1, 2).reshape(1, count, -1))
        return out

    def _split(self, x: Tensor) -> Tensor:
        return x.view(1, x.shape[1], -1, self.head_dim).transpose(1, 2)
