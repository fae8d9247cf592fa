"""An HTTP proxy over real sockets: forwards and tunnels, to where its routes lead.

async with Proxy({("hub.invalid", 80): ("127.0.0.1", 8080)}) as proxy: … proxy.url …
"""

import asyncio
import base64
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

Place = tuple[str, int]


class Proxied(NamedTuple):
    method: str
    target: str


class Proxy:
    """user: `name:password` that it wants to hear; empty: it asks nobody."""

    def __init__(self, routes: Mapping[Place, Place], *, user: str = "") -> None:
        self._routes = routes
        self._user = user
        self.log: list[Proxied] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        user = f"{self._user}@" if self._user else ""
        return f"http://{user}127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.rstrip("\r\n").split("\r\n")
        method, target, _ = line.split(" ")
        self.log.append(Proxied(method, target))
        if self._user:
            told = base64.b64encode(self._user.encode()).decode()
            if f"proxy-authorization: basic {told}".lower() not in [f.lower() for f in fields]:
                writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
                return
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        place = self._routes.get((parts.hostname or "", parts.port or 80))
        if place is None:
            writer.write(b"HTTP/1.1 502 No way\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        there, upstream = await asyncio.open_connection(*place)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Go on\r\n\r\n")
        else:
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            kept = [f for f in fields if not f.lower().startswith(("proxy-", "connection:"))]
            lines = [f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]
            upstream.write("\r\n".join(lines).encode("latin-1"))
        try:
            sending = asyncio.create_task(_relay(reader, upstream))
            await _relay(there, writer)
            sending.cancel()
        finally:
            upstream.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
