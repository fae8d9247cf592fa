"""Answers that are made while they are sent, and whose making ends when the client leaves."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

from litestar import Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from sirene_shared.ending import end
from sirene_shared.errors import SireneError

log = logging.getLogger(__name__)

# A client that takes nothing for so long has gone, or holds a model for no use.
SEND_S = 30.0
NOT_CACHED = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
EVENT_STREAM = "text/event-stream"


class _Answer(ASGIResponse):
    """Headers go out with the first chunk, so that an error before it is a proper answer."""

    _should_set_content_length = False

    def __init__(
        self, chunks: AsyncGenerator[bytes, None], *, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(headers=headers, media_type=media_type)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        leaving = asyncio.create_task(_left(receive))
        sending = asyncio.create_task(self._send(send))
        try:
            await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            await end((leaving, sending))
            # Here, not in the generator: one that has not started yet runs no `finally`, but
            # closing it still closes what it was given.
            await self._chunks.aclose()

    async def _send(self, send: Send) -> None:
        chunk = await anext(self._chunks, None)
        await self.start_response(send)
        try:
            while chunk is not None:
                async with asyncio.timeout(SEND_S):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                chunk = await anext(self._chunks, None)
        except (SireneError, TimeoutError) as error:
            reason = str(error) or "the client takes nothing"
            # Without its end the server cuts the connection: a part is never taken for the whole.
            log.warning("an answer was cut short: %s", reason)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Streamed(Response[bytes]):
    """A route's streamed answer: the chunks of a generator, which is closed in any case."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], *, media_type: str) -> None:
        super().__init__(b"", media_type=media_type, headers=NOT_CACHED)
        self._chunks = chunks
        self._kind = media_type

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **_: Any) -> ASGIResponse:
        return _Answer(self._chunks, headers=self.headers, media_type=self._kind)


def event_stream(chunks: AsyncGenerator[bytes, None]) -> Streamed:
    return Streamed(chunks, media_type=EVENT_STREAM)
