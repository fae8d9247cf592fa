"""One file: resumed where it stopped, never longer than announced, whole or an error.

What is inside Fetch may become several connections at a time; what it promises stays.
"""

import re
import time
from collections.abc import Awaitable, Callable

import aiohttp

from sirene_downloader.part import BLOCK_BYTES, Part
from sirene_downloader.patience import Patience
from sirene_downloader.remote import RemoteFile
from sirene_downloader.report import Report
from sirene_downloader.request import Answer, Client, Interrupted
from sirene_downloader.settings import Limits
from sirene_shared.errors import HashMismatch, HubUnavailable, SizeMismatch

# What came is given to the disk at least this often: a kill loses no more than that.
FLUSH_S = 1.0
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Fetch:
    """Brings `remote` into `part`, which has recalled what it holds."""

    def __init__(
        self,
        client: Client,
        remote: RemoteFile,
        part: Part,
        report: Report,
        limits: Limits,
        *,
        etag: str,
        etag_seen: Callable[[str], Awaitable[None]],
    ) -> None:
        self._client = client
        self._remote = remote
        self._part = part
        self._report = report
        self._patience = Patience(limits, report.resting)
        self._etag = etag
        self._etag_seen = etag_seen

    async def run(self) -> str:
        """The sha256 of the file, which is whole and durable now.

        Raises: PullError.
        """
        try:
            return await self._complete()
        except HashMismatch:
            # A bit may have turned on the way: once more from the start, no oftener.
            await self._restart()
            return await self._complete()

    async def _complete(self) -> str:
        while self._part.position < self._remote.size:
            try:
                await self._stream()
            except Interrupted as interruption:
                await self._patience.after(interruption)
        return await self._part.seal()

    async def _stream(self) -> None:
        """One request. Raises: Interrupted, PullError."""
        remote, part = self._remote, self._part
        headers = {}
        if part.position:
            headers["Range"] = f"bytes={part.position}-"
            if self._etag and not self._etag.startswith("W/"):
                headers["If-Range"] = self._etag
        async with self._client.request("GET", remote.url, remote.path, headers) as answer:
            await self._begin(answer.response)
            await self._receive(answer)

    async def _begin(self, response: aiohttp.ClientResponse) -> None:
        """Make sure that what follows belongs at our position, from zero if it must."""
        remote, part = self._remote, self._part
        if response.status == 416:
            await self._restart()
            raise Interrupted(_size_mismatch(remote, "is shorter on the hub than what is here"))
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise SizeMismatch(
                f"the hub sends {remote.path!r} compressed, which was not asked for",
                hint="A proxy in between alters what it passes on.",
            )
        is_page = response.content_type in ("text/html", "application/xhtml+xml")
        if is_page and not remote.path.endswith((".html", ".htm")):
            raise HubUnavailable(
                f"a web page came instead of {remote.path!r}",
                hint="A login page or a proxy stands between: open the hub in a browser.",
            )
        start, length = 0, response.content_length
        if response.status == 206:
            match = RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != part.position:
                await self._restart()
                raise Interrupted(_size_mismatch(remote, "came from another place than asked for"))
            start, length = part.position, int(match[2]) + 1 - part.position
            if match[3] != "*" and int(match[3]) != remote.size:
                raise _size_mismatch(remote, f"has {match[3]} bytes on the hub")
        elif part.position:  # the range was ignored, or the file is another one now
            await self._restart()
        if length is not None and start + length > remote.size:
            raise _size_mismatch(remote, f"has {start + length} bytes on the hub")
        if response.status == 200 and length is not None and length < remote.size:
            raise _size_mismatch(remote, f"has {length} bytes on the hub")
        self._etag = response.headers.get("ETag", "")
        await self._etag_seen(self._etag)

    async def _receive(self, answer: Answer) -> None:
        remote, part = self._remote, self._part
        buffer, flushed_at = bytearray(), time.monotonic()
        try:
            async for chunk in answer.chunks(remote.path):
                missing = remote.size - part.position - len(buffer)
                if len(chunk) > missing:
                    raise _size_mismatch(remote, "does not end where it should")
                buffer += chunk
                self._report.add(len(chunk))
                self._patience.moved(len(chunk))
                now = time.monotonic()
                if len(buffer) >= BLOCK_BYTES or now - flushed_at >= FLUSH_S:
                    whole, buffer, flushed_at = bytes(buffer), bytearray(), now
                    await part.append(whole)
                if len(chunk) == missing:
                    break
        finally:
            if buffer:
                await part.append(bytes(buffer))
        if part.position < remote.size:
            raise Interrupted(_size_mismatch(remote, "ends too early"))

    async def _restart(self) -> None:
        self._report.lose(self._part.position)
        await self._part.restart()
        self._etag = ""


def _size_mismatch(remote: RemoteFile, what: str) -> SizeMismatch:
    return SizeMismatch(
        f"{remote.path!r} {what}; it should have {remote.size} bytes",
        hint="The hub has another version than the manifest, or a proxy alters it.",
    )
