"""Whether a job's install was told of already, and only its command was not answered."""

from contextlib import suppress

from sirene_downloader.decisions import says_installed
from sirene_downloader.pull import Workshop
from sirene_shared.errors import PullError
from sirene_shared.messages import ModelStatus


async def is_told(status: ModelStatus | None, job: str, workshop: Workshop) -> bool:
    """The job's install is there, and was told of."""
    if status is None or not says_installed(status, job):
        return False
    with suppress(PullError):
        record = await workshop.installed(status.ref)
        return record is not None and record.size_bytes == status.size_bytes
    return False
