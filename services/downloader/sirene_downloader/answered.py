"""Whether a job has come to an end already, and only its command was not answered."""

from contextlib import suppress

from sirene_downloader.pull import Workshop
from sirene_shared.errors import PullError
from sirene_shared.messages import InstallState, ModelStatus


def is_over(status: ModelStatus | None, job: str) -> bool:
    """The job has come to an end that the volume does not show."""
    if status is None or status.job != job:
        return False
    return status.state is InstallState.FAILED or (
        not status.state.is_active and status.error is not None
    )


async def is_told(status: ModelStatus | None, job: str, workshop: Workshop) -> bool:
    """The job's install is there, and was told of."""
    if status is None or (status.job, status.state) != (job, InstallState.INSTALLED):
        return False
    with suppress(PullError):
        record = await workshop.installed(status.ref)
        return record is not None and record.size_bytes == status.size_bytes
    return False
