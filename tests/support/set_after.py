"""A cancel that comes at a chosen moment of the work, rather than of the clock."""

from sirene_inference.cancellation import Cancellation

NEVER = 1 << 62


class SetAfter(Cancellation):
    """Set once it was asked so often."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count, self.asked = count, 0

    def is_set(self) -> bool:
        self.asked += 1
        return self.asked > self.count
