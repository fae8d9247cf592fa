"""All files of a model onto the volume: the loop's side of the crew."""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, suppress
from functools import partial

from sirene_downloader.draft import Draft, Origin
from sirene_downloader.finishing import finish
from sirene_downloader.patience import Patience
from sirene_downloader.remote import RemoteFile
from sirene_downloader.report import Report
from sirene_downloader.settings import Limits
from sirene_downloader.sources import origin_of
from sirene_downloader.transfer.crew import Crew
from sirene_downloader.transfer.file import BLOCK_BYTES, File, open_plainly
from sirene_downloader.transfer.wire import Wire
from sirene_downloader.volume import volume_errors
from sirene_shared.messages import Phase
from sirene_shared.store import RecordedFile

TICK_S = 0.05


class ModelTransfer:
    """run() once."""

    def __init__(
        self,
        wire: Wire,
        executor: Executor,
        draft: Draft,
        files: Sequence[RemoteFile],
        report: Report,
        *,
        limits: Limits,
        wrong: frozenset[str] = frozenset(),
    ) -> None:
        """limits: how patient to be with these origins; wrong: paths whose bytes so far are."""
        self._wire = wire
        self._executor = executor
        self._draft = draft
        self._remotes = files
        self._report = report
        self._limits = limits
        self._wrong = wrong
        self._stack = ExitStack()
        self._files: list[File] = []
        self._is_wanted = True
        self._received = self._lost = self._hashed = 0

    async def run(self) -> list[RecordedFile]:
        """Whole, verified and durable, in the order they were given.

        Raises: FileFailed, PullError.
        """
        try:
            await self._in_thread(self._open)
            await self._recall()
            await self._fetch()
        finally:
            await self._in_thread(self._stack.close)
        return [
            RecordedFile(path=file.remote.path, size=file.remote.size, sha256=file.sha256)
            for file in self._files
        ]

    def _open(self) -> None:
        """Every file at once: what does not fit is known before the first byte."""
        for remote in self._remotes:
            with volume_errors():
                descriptor = open_plainly(self._draft.tree / remote.path)
            self._stack.callback(os.close, descriptor)
            noted, source = self._draft.origin(remote.path), origin_of(remote.url)
            is_the_same = noted is not None and noted.source == source
            file = File(
                remote,
                descriptor,
                self._draft.ranges(remote.path),
                Patience(self._limits, self._report.resting),
                # An ETag means something to the origin that gave it, and to no other.
                etag=noted.etag if noted and is_the_same else "",
                note_etag=partial(self._note, remote),
            )
            self._stack.callback(self._close, file)
            here = file.open()
            self._files.append(file)
            if here and (remote.path in self._wrong or not _goes_on(remote, noted, source)):
                file.must_restart = True
                file.restart()

    async def _recall(self) -> None:
        """Hash what an earlier try left; before any request, or its answer would wait for us."""
        buffer = memoryview(bytearray(BLOCK_BYTES))
        for file in self._files:
            self._report.work_on(file.remote.path, Phase.VERIFYING)
            while size_bytes := await self._in_thread(file.hash_some, buffer):
                self._report.step(size_bytes)

    async def _fetch(self) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def ended() -> None:
            loop.call_soon_threadsafe(over.set)

        crew = Crew(self._files, self._wire, ended=ended)
        waiting = asyncio.create_task(over.wait())
        try:
            crew.start()
            while not over.is_set():
                self._tell(crew)
                await asyncio.wait({waiting}, timeout=TICK_S)
                crew.tick()
        finally:
            waiting.cancel()
            crew.stop()
            await self._in_thread(crew.close)
            self._tell(crew)
        if crew.error is not None:
            raise crew.error

    def _tell(self, crew: Crew) -> None:
        report = self._report
        current = next((file for file in self._files if not file.is_whole), None)
        if current is not None:
            report.work_on(current.remote.path, Phase.DOWNLOADING, files=crew.in_work)
        elif unchecked := next((file for file in self._files if not file.is_checked), None):
            report.work_on(unchecked.remote.path, Phase.VERIFYING)
        lost = sum(file.lost for file in self._files)
        received = sum(file.received for file in self._files)
        hashed = sum(file.hashed_bytes for file in self._files)
        if received > self._received:
            report.add(received - self._received)
        if lost > self._lost:
            report.lose(lost - self._lost)
        if hashed != self._hashed or crew.is_resting:
            report.step()
        self._received, self._lost, self._hashed = received, lost, hashed

    def _note(self, remote: RemoteFile, etag: str) -> None:
        origin = Origin(
            size=remote.size,
            digests=remote.digests,
            commit=remote.commit,
            etag=etag,
            source=origin_of(remote.url),
        )
        self._draft.note(remote.path, origin)

    def _close(self, file: File) -> None:
        # What the journal does not tell is fetched again: no reason to fail now.
        with suppress(OSError):
            file.close()

    async def _in_thread(self, work: Callable[..., int | None], *arguments: object) -> int:
        async def run() -> int:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, work, *arguments) or 0

        return await finish(run())


def _goes_on(remote: RemoteFile, noted: Origin | None, source: str) -> bool:
    """What is here of the file may be continued from `source`.

    Where a sha256 shows whether the whole is right, the parts may be from anywhere.
    """
    is_known = any(digest.algorithm == "sha256" for digest in remote.digests)
    return is_known or noted is None or noted.source == source
