"""A voice in memory: what the cache needs of it, and what the cache tells about it."""

import asyncio
from typing import Generic, NamedTuple, Protocol, TypeVar

from sirene_inference.residents import Resident


class InMemory(Protocol):
    """What the loader gives."""

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


class Acquired(NamedTuple, Generic[Voice]):
    resident: Resident
    voice: Voice
