"""Whether a run whose lease ran out, and is held by nobody, may take it again and go on."""

from sirene_downloader.backlog import Backlog
from sirene_downloader.job import Job
from sirene_downloader.staging import Staging
from sirene_downloader.states import States
from sirene_shared.messages import ModelStatus


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
        if waiting is None and _is_of_the_volume(status):
            waiting = await self._backlog.requeue(claim.waiting)
        if waiting is None or waiting.command.job != command.job:
            return False
        claim.follow(waiting)
        return _is_of_the_volume(status) or _runs(status, command.job)


def _is_of_the_volume(status: ModelStatus | None) -> bool:
    """No pull and no delete has said it: there is none, or it was made from what is installed."""
    return status is None or not status.job


def _runs(status: ModelStatus | None, job: str) -> bool:
    return status is not None and status.job == job and status.state.is_active
