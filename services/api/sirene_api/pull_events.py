"""A pull's state as the event that tells it."""

import msgspec

from sirene_api.answers import PullComplete, PullFailed, PullProgress
from sirene_api.events import frame
from sirene_api.http_errors import body_of
from sirene_api.views import TransferView
from sirene_shared.errors import PullCancelled, PullNotFound
from sirene_shared.messages import InstallState, ModelStatus, Phase, Transfer
from sirene_shared.names import ModelRef

NOTHING_YET = TransferView.of(Transfer(phase=Phase.RESOLVING))


def event_of(ref: ModelRef, job: str, status: ModelStatus | None) -> bytes:
    """status: None while the pull waits for a downloader to take it."""
    identity = f"{job}/{status.seq if status else 0}"
    if status is None or status.state.is_active:
        return frame("progress", identity, _progress(ref, job, status))
    # With an error it is an older install that stayed, and this pull has failed.
    if status.state is InstallState.INSTALLED and status.error is None:
        complete = PullComplete(
            id=ref.id, job=job, state=status.state, size_bytes=status.size_bytes
        )
        return frame("complete", identity, complete)
    failure = status.error or PullCancelled("the pull was ended").failure()
    failed = PullFailed(id=ref.id, job=job, state=status.state, error=body_of(failure))
    return frame("error", identity, failed)


def _progress(ref: ModelRef, job: str, status: ModelStatus | None) -> PullProgress:
    transfer = status.transfer if status else None
    view = TransferView.of(transfer) if transfer else NOTHING_YET
    return PullProgress(
        id=ref.id,
        job=job,
        state=status.state if status else InstallState.QUEUED,
        phase=view.phase if transfer else None,
        done_bytes=view.done_bytes,
        total_bytes=view.total_bytes,
        percent=view.percent,
        speed_bytes_s=view.speed_bytes_s,
        eta_s=view.eta_s,
        file=view.file,
        files=view.files,
        attempt=view.attempt,
        reason=status.reason if status else "",
    )


def ending_of(status: ModelStatus) -> ModelStatus:
    """How a pull ended whose own last state was missed, told by the model's state now."""
    if status.state is InstallState.INSTALLED:
        return status
    lost = PullNotFound("the pull is gone without a trace", hint="Start it again.")
    return msgspec.structs.replace(
        status, state=InstallState.FAILED, error=lost.failure(), transfer=None
    )
