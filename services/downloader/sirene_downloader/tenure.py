"""Whether a run whose lease ran out, and is held by nobody, may take it again and go on."""

from sirene_downloader.backlog import Backlog
from sirene_downloader.decisions import is_of_volume, may_retake
from sirene_downloader.job import Job
from sirene_downloader.staging import Staging
from sirene_downloader.states import States


class Tenure:
    """Not when another had the lease meanwhile, which the volume shows; nor when the pull has ended
    without it. A command that the bus has lost together with everything else is asked for again.
    """

    def __init__(self, job: Job, backlog: Backlog, states: States, staging: Staging) -> None:
        self._job = job
        self._backlog = backlog
        self._states = states
        self._staging = staging

    async def goes_on(self) -> bool:
        """Raises: BusUnavailable."""
        command, claim = self._job.command, self._job.claim
        # One read of a few bytes, now and then: no thread of the pull's own work is waited for.
        if not self._staging.holds(command.ref):
            return False
        status, _ = await self._states.read(command.ref)
        waiting = await self._backlog.pull(command.ref)
        if waiting is None and is_of_volume(status):
            waiting = await self._backlog.requeue(claim.waiting)
        if waiting is None or waiting.command.job != command.job:
            return False
        claim.follow(waiting)
        return may_retake(status, command.job)
