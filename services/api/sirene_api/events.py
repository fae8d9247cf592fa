"""One hub in the process for all event streams: the latest frame of each key wins.

A slow client costs one frame a key, never a queue; the bus is listened to once, however many
browsers are open.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable

import msgspec

from sirene_api.views import View

HEARTBEAT_S = 15.0
HEARTBEAT = b": \n\n"
# How long an EventSource waits before it connects again.
RETRY = b"retry: 3000\n\n"


def frame(event: str, identity: str, payload: View) -> bytes:
    """A server-sent event; JSON has no line break, so `data` is one line."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (
        event.encode(),
        identity.encode(),
        msgspec.json.encode(payload),
    )


class Listener:
    """What one client has not been told yet."""

    def __init__(self, only: str | None) -> None:
        self._only = only
        self._pending: dict[str, bytes] = {}
        self._wake = asyncio.Event()

    def put(self, key: str, frame: bytes) -> None:
        if self._only in (None, key):
            self._pending[key] = frame
            self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    async def take(self) -> list[bytes]:
        """The frames since the last call, once there are some; none of them for a heartbeat."""
        await self._wake.wait()
        self._wake.clear()
        frames = list(self._pending.values())
        self._pending.clear()
        return frames


class Hub:
    """Tells every listener; `run()` is the one heartbeat of all streams."""

    def __init__(self, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._heartbeat_s = heartbeat_s
        self._listeners: set[Listener] = set()
        self._count = 0
        self._is_ending = False

    def __len__(self) -> int:
        return len(self._listeners)

    def next_id(self) -> str:
        self._count += 1
        return str(self._count)

    def put(self, key: str, event: str, payload: Callable[[], View]) -> None:
        """Tell all who listen to `key`; the payload is not even made when nobody does."""
        if self._listeners:
            encoded = frame(event, self.next_id(), payload())
            for listener in self._listeners:
                listener.put(key, encoded)

    def end_all(self) -> None:
        """End every stream now, and each new one at its start: a server waits for them."""
        self._is_ending = True
        self.wake_all()

    def wake_all(self) -> None:
        """Have every stream look: what it waits for may be there."""
        for listener in self._listeners:
            listener.wake()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            self.wake_all()

    async def listen(self, only: str | None = None) -> AsyncGenerator[list[bytes], None]:
        """Frames as they come, an empty list as heartbeat; ends with end_all().

        The place among the listeners is taken here, inside: a generator that never starts runs no
        `finally`, and would leave its place taken for ever.
        """
        listener = Listener(only)
        self._listeners.add(listener)
        try:
            # The caller now reads the whole state; what changes after this moment is pending.
            yield []
            while not self._is_ending:
                frames = await listener.take()
                if not self._is_ending:
                    yield frames
        finally:
            self._listeners.discard(listener)
