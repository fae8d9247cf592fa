"""A lease in a world of plain values, as one holder knows it."""

from collections.abc import Callable

from sirene_shared.errors import LeaseLost
from tests.unit.downloader.pull_world import Command, World


class Tenure:
    def __init__(
        self, world: World, command: Command, holder: str, may_go_on: Callable[[], bool]
    ) -> None:
        self._world, self._command, self._holder = world, command, holder
        self._may_go_on = may_go_on
        self.revision = self.number = 0
        self.is_lost = False

    def take(self) -> bool:
        world, ref = self._world, self._command.ref
        entry = world.lease(ref)
        taken = None if entry.holder else world.put_lease(ref, self._holder, entry.revision)
        self.revision = self.number = taken or 0
        return taken is not None

    def renew(self) -> None:
        """Raises: LeaseLost."""
        world, ref = self._world, self._command.ref
        renewed = None if self.is_lost else world.put_lease(ref, self._holder, self.revision)
        if renewed is not None:
            self.revision = renewed
        elif self.is_lost or not self.take() or not self._may_go_on():
            self.is_lost = True
            self.release()
            raise LeaseLost("another has it")

    def release(self) -> None:
        self._world.remove_lease(self._command.ref, self.revision)
