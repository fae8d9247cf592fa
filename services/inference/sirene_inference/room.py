"""How much room there is under the bounds: models in number, and bytes of each device."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Size(NamedTuple):
    """What one model takes."""

    device: str
    bytes: int


class Bounds(NamedTuple):
    models: int
    memory: Mapping[str, int] = {}
    """Bytes by device; one that is not named has no bound."""


class Room:
    """What the bounds leave beside some models. More may be taken than there was."""

    def __init__(self, bounds: Bounds, taken: Iterable[Size] = ()) -> None:
        self._models = bounds.models
        self._bytes = dict(bounds.memory)
        for size in taken:
            self.take(size)

    def take(self, size: Size) -> None:
        self._models -= 1
        if size.device in self._bytes:
            self._bytes[size.device] -= size.bytes

    def give(self, size: Size) -> None:
        self._models += 1
        if size.device in self._bytes:
            self._bytes[size.device] += size.bytes

    def fits(self, size: Size) -> bool:
        return self._models >= 1 and self._bytes.get(size.device, size.bytes) >= size.bytes

    def helps(self, victim: Size, size: Size) -> bool:
        """Whether giving back `victim` is of use to a model that does not fit."""
        return self._models < 1 or victim.device == size.device

    def is_over(self, device: str) -> bool:
        """More is taken than the bound allows: something grew."""
        return self._bytes.get(device, 0) < 0
