"""Who waits for which model, how long each of them will, and how he is told."""

import asyncio
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from sirene_shared.errors import SireneError
from sirene_shared.names import ModelRef

Thing = TypeVar("Thing")


class Waiter(NamedTuple, Generic[Thing]):
    arrival: "asyncio.Future[Thing]"
    patience: asyncio.Timeout
    """To be entered around the wait; without a deadline until it is given one."""

    def unused(self) -> Thing | None:
        """What arrived in the very moment in which he stopped waiting."""
        if not self.arrival.done() or self.arrival.cancelled() or self.arrival.exception():
            return None
        return self.arrival.result()


class WaitingLine(Generic[Thing]):
    def __init__(self) -> None:
        self._waiters: dict[ModelRef, list[Waiter[Thing]]] = {}

    def join(self, ref: ModelRef) -> Waiter[Thing]:
        waiter = Waiter[Thing](asyncio.get_running_loop().create_future(), asyncio.timeout(None))
        self._waiters.setdefault(ref, []).append(waiter)
        return waiter

    def leave(self, ref: ModelRef, waiter: Waiter[Thing]) -> bool:
        """Whether somebody else still waits for the model."""
        waiters = self._waiters[ref]
        waiters.remove(waiter)
        if not waiters:
            del self._waiters[ref]
        return bool(waiters)

    def wait_on(self, ref: ModelRef) -> None:
        """Nobody who waits for the model has a deadline any more."""
        for waiter in self._patient(ref):
            waiter.patience.reschedule(None)

    def wait_until(self, ref: ModelRef, deadline: float) -> None:
        """Those who wait for the model without a deadline have this one, by the loop's clock."""
        for waiter in self._patient(ref):
            if waiter.patience.when() is None:
                waiter.patience.reschedule(deadline)

    def arrivals(self, ref: ModelRef) -> "Iterator[asyncio.Future[Thing]]":
        """To be set, one for each who still waits, the longest first."""
        for waiter in list(self._waiters.get(ref, [])):
            if not waiter.arrival.done():
                yield waiter.arrival

    def disappoint(self, ref: ModelRef, error: SireneError) -> None:
        """Give everyone who waits for the model an error of his own."""
        for arrival in self.arrivals(ref):
            arrival.set_exception(error.failure().error())

    def disappoint_all(self, error: SireneError) -> None:
        for ref in list(self._waiters):
            self.disappoint(ref, error)

    def _patient(self, ref: ModelRef) -> Iterator[Waiter[Thing]]:
        for waiter in self._waiters.get(ref, []):
            if not waiter.patience.expired():
                yield waiter
