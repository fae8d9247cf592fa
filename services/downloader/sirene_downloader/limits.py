"""What downloads may use: as the environment says, until somebody changes it while we run."""

import logging
from typing import Protocol

import msgspec

from sirene_shared.messages import PullLimits
from sirene_shared.subjects import DOWNLOADS_KEY

log = logging.getLogger(__name__)


class Throttle(Protocol):
    """Keeps transfers within a rate and a number of connections to one host."""

    def set(self, *, max_rate: int, connections: int) -> None:
        """max_rate: bytes a second, 0 for no limit. Transfers that run follow at once."""


class CurrentLimits:
    """Fed by the mirror of the bucket; an entry that is gone leaves the environment's."""

    def __init__(self, environment: PullLimits) -> None:
        self._environment = environment
        self.now = environment
        self._throttles: list[Throttle] = []

    @property
    def pulls(self) -> int:
        return self.now.pulls or 1

    def hold(self, throttle: Throttle) -> None:
        """Keep it as the limits say, from now on."""
        self._throttles.append(throttle)
        self._apply(throttle)

    def take(self, key: str, value: bytes | None) -> None:
        """An entry of the bucket of settings; None when it is gone."""
        if key != DOWNLOADS_KEY:
            return
        try:
            chosen = PullLimits() if value is None else PullLimits.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("the limits of downloads cannot be read: %s", error)
            return
        changes = {
            name: asked
            for name, asked in msgspec.structs.asdict(chosen).items()
            if asked is not None
        }
        self.now = msgspec.structs.replace(self._environment, **changes)
        log.info(
            "limits: %d pulls, %d connections to a host, %s bytes a second",
            self.pulls,
            self.now.connections,
            self.now.max_rate or "any number of",
        )
        for throttle in self._throttles:
            self._apply(throttle)

    def _apply(self, throttle: Throttle) -> None:
        throttle.set(max_rate=self.now.max_rate or 0, connections=self.now.connections or 1)
