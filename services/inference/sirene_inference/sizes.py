"""What each model takes in memory: an estimate until it was loaded once, then as measured."""

from collections.abc import Callable

from sirene_inference.room import Size
from sirene_shared.names import ModelRef

# A measure that differs by less is not worth remembering anew.
NOTABLE = 0.05


class Sizes:
    def __init__(
        self,
        estimate: Callable[[ModelRef], Size] = lambda ref: Size("cpu", 0),
        keep: Callable[[ModelRef, Size], None] = lambda ref, size: None,
    ) -> None:
        """keep: remembers a size across restarts."""
        self._estimate = estimate
        self._keep = keep
        self._measured: dict[ModelRef, Size] = {}

    def of(self, ref: ModelRef) -> Size:
        return self._measured.get(ref) or self._estimate(ref)

    def learn(self, ref: ModelRef, size: Size) -> None:
        """It was measured here."""
        known = self._measured.get(ref)
        if (
            known is None
            or known.device != size.device
            or abs(known.bytes - size.bytes) > NOTABLE * known.bytes
        ):
            self._measured[ref] = size
            self._keep(ref, size)

    def recall(self, ref: ModelRef, size: Size) -> None:
        """It was measured before, or by another replica."""
        self._measured[ref] = size
