"""One run of a pull command, and what may end it early."""

import asyncio

from sirene_downloader.claim import Claim
from sirene_downloader.decisions import Stop
from sirene_downloader.pull import Pull
from sirene_shared.ending import end
from sirene_shared.messages import PullCommand
from sirene_shared.store import InstallRecord


class Job:
    def __init__(self, command: PullCommand, claim: Claim) -> None:
        self.command = command
        self.claim = claim
        self.tries = 1
        """How often work on it was begun, this time included."""
        self.stop_reason: Stop | None = None
        self.ended = asyncio.Event()
        self._is_committing = False
        self._stopped = asyncio.Event()

    @property
    def sequence(self) -> int:
        return self.claim.sequence

    def stop(self, reason: Stop) -> None:
        """Too late once the files get their final names: then the pull is done in a moment."""
        if self._is_committing or self.stop_reason is not None:
            return
        self.stop_reason = reason
        self._stopped.set()

    def commits(self) -> None:
        """From here on there is no way back. Raises: CancelledError when it was stopped."""
        if self.stop_reason is not None:
            raise asyncio.CancelledError
        self._is_committing = True

    async def run(self, pull: Pull) -> InstallRecord | None:
        """None: it was stopped. Raises: what the pull does."""
        if self.stop_reason is not None:
            return None
        work = asyncio.create_task(pull.run())
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end((work, stopped))
        return None if work.cancelled() else work.result()
