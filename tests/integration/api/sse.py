"""Reading server-sent events, as an EventSource would."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx

from tests.integration.api.serving import Api

EVENT_S = 10


class Event(NamedTuple):
    """name: empty for a comment or a bare `retry`."""

    name: str
    id: str
    data: Any


class Stream:
    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def block(self) -> Event | None:
        """The next block up to an empty line; None at the end of the stream."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(EVENT_S):
            async for line in self._lines:
                if not line:
                    return Event(
                        fields.get("event", ""),
                        fields.get("id", ""),
                        json.loads(fields["data"]) if "data" in fields else None,
                    )
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
        return None

    async def next(self) -> Event | None:
        """The next event, without heartbeats."""
        while (block := await self.block()) is not None and not block.name:
            pass
        return block

    async def all(self) -> list[Event]:
        events = []
        while (event := await self.next()) is not None:
            events.append(event)
        return events


@asynccontextmanager
async def stream(api: Api, path: str, **headers: str) -> AsyncIterator[Stream]:
    async with api.http.stream("GET", path, headers=headers) as response:
        yield Stream(response)
