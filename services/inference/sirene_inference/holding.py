"""A voice in memory: what the cache needs of it, and what the cache tells about it."""

import asyncio
from typing import Generic, NamedTuple, Protocol, TypeVar

from sirene_inference.resident import Resident


class InMemory(Protocol):
    """What the loader gives."""

    device: str
    memory_bytes: int
    """As measured last."""
    ended: asyncio.Event
    """Set when it is gone by itself."""

    async def close(self) -> int:
        """End it and return how many bytes that gave back."""


Voice = TypeVar("Voice", bound=InMemory)


class Holding(NamedTuple, Generic[Voice]):
    """A model that takes room, as seen from outside."""

    resident: Resident
    voice: Voice | None
    """None while it loads."""
    idle_s: float
    is_pinned: bool
    expires_in_s: float | None
    """Until it leaves by itself; None: it does not, or not while it is used."""
    is_next: bool
    """It is the first to leave when room is needed."""


class Acquired(NamedTuple, Generic[Voice]):
    resident: Resident
    voice: Voice
