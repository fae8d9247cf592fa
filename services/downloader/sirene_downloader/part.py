"""One file as it arrives: written and hashed at once, both in threads, never on the loop."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import aiofiles
from aiofiles.threadpool.binary import AsyncFileIO

from sirene_downloader.finishing import finish
from sirene_downloader.remote import HASHES, Algorithm, RemoteFile
from sirene_downloader.volume import volume_errors
from sirene_shared.errors import HashMismatch

BLOCK_BYTES = 1 << 20


def _open_plainly(path: str, flags: int) -> int:
    """Never through a symbolic link that somebody laid there."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o644)


class Part:
    """`async with Part(…) as part`, then recall(), append() …, seal()."""

    def __init__(self, path: Path, remote: RemoteFile, executor: Executor) -> None:
        self._path = path
        self._remote = remote
        self._executor = executor
        self._stack = AsyncExitStack()
        self._storing: asyncio.Task[None] | None = None
        self.position = 0
        """Bytes from the start that are here, the ones on their way to the disk included."""
        self._begin_hashes()

    async def __aenter__(self) -> Self:
        opening = aiofiles.open(
            self._path, "r+b", buffering=0, opener=_open_plainly, executor=self._executor
        )
        with volume_errors():
            try:
                self._file: AsyncFileIO = await finish(self._stack.enter_async_context(opening))
            except asyncio.CancelledError:
                await self._stack.aclose()
                raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A thread may still write: closed now, its bytes could go to whoever gets the descriptor.
        if self._storing is not None:
            await asyncio.wait({self._storing})
            if not self._storing.cancelled():
                self._storing.exception()  # seen: we leave because of something else
        await self._stack.aclose()

    async def recall(self, hashed: Callable[[int], None]) -> None:
        """Hash what an earlier try left; before any request, or its answer would wait for us."""
        await self._settle()
        self._begin_hashes()
        self.position = 0
        with volume_errors():
            await finish(self._file.seek(0))
            while size_bytes := await finish(self._hash_next()):
                self.position += size_bytes
                hashed(size_bytes)

    async def append(self, data: bytes) -> None:
        """Store `data` while the caller fetches more. Raises: DiskFull, VolumeUnwritable."""
        await self._settle()
        self.position += len(data)
        self._storing = asyncio.create_task(self._store(data))

    async def restart(self) -> None:
        """Begin with an empty file."""
        await self._settle()
        with volume_errors():
            await finish(self._file.truncate(0))
            await finish(self._file.seek(0))
        self.position = 0
        self._begin_hashes()

    async def seal(self) -> str:
        """Check the hash, make the file durable; its sha256.

        Raises: HashMismatch, DiskFull, VolumeUnwritable.
        """
        await self._settle()
        for wanted in self._remote.digests:
            if self._hashes[wanted.algorithm].hexdigest() != wanted.hex:
                raise HashMismatch(
                    f"{self._remote.path!r} arrived altered: its {wanted.algorithm} is not the"
                    " published one",
                    hint="Pull again; if it stays so, the hub or a proxy serves a wrong file.",
                )
        with volume_errors():
            await finish(self._sync())
        return self._hashes["sha256"].hexdigest()

    def _begin_hashes(self) -> None:
        # The install record names the sha256 in any case.
        wanted: set[Algorithm] = {"sha256", *(each.algorithm for each in self._remote.digests)}
        self._hashes = {name: HASHES[name](self._remote.size) for name in wanted}

    def _hash(self, data: bytes) -> None:
        for each in self._hashes.values():
            each.update(data)

    async def _hash_next(self) -> int:
        block = await self._file.read(BLOCK_BYTES)
        await self._in_thread(self._hash, block)
        return len(block)

    async def _sync(self) -> None:
        await self._in_thread(os.fsync, self._file.fileno())

    async def _settle(self) -> None:
        """Until what was appended is stored."""
        if self._storing is not None:
            # wait() leaves the task alone when we are cancelled.
            await asyncio.wait({self._storing})
            storing, self._storing = self._storing, None
            storing.result()

    async def _store(self, data: bytes) -> None:
        hashing = asyncio.ensure_future(self._in_thread(self._hash, data))
        try:
            with volume_errors():
                rest = memoryview(data)
                while rest:
                    rest = rest[await self._file.write(rest) :]
        finally:
            await hashing

    def _in_thread(self, work: Callable[..., object], *arguments: object) -> asyncio.Future[object]:
        return asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)
