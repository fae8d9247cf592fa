"""What follows from what in the life of a pull: pure, so that any order of events can be tried.

A command that waits gets its turn (turn_of); one that runs may have to stop (stop_of); however its
run came out, it comes to one end (end_of), whose steps are named in their order (STEPS).
"""

from enum import Enum

from sirene_shared.errors import DiskFull, LeaseLost, PullError, VolumeUnwritable
from sirene_shared.messages import InstallState, ModelStatus, Wish
from sirene_shared.subjects import MAX_DELIVERIES

# The first of a job; the run that follows counts on from it.
QUEUED_SEQ = 1
# Between the numbers of two runs of one job: they rise even when the last ticks were not stored.
SEQUENCE_GAP = 100
IN_WORK = frozenset({InstallState.DOWNLOADING, InstallState.VERIFYING})


class Turn(Enum):
    """What becomes of a command that waits."""

    CANCEL = "it is ended without having run"
    PAUSE = "it waits until somebody wants it to go on"
    WAIT_FOR_HOURS = "it waits for the hours in which pulls run"
    WAIT_FOR_ROOM = "it waits for another pull to end"
    REST = "it was tried a moment ago"
    RUN = "it runs now"


class Stop(Enum):
    """Why a pull ends before its time."""

    CANCELLED = "cancelled"
    PAUSED = "paused"
    OUT_OF_HOURS = "the hours in which pulls run are over"
    CANCELLED_KEEPING = "cancelled, keeping what came"
    ENDING = "the service ends"
    TAKEN_OVER = "another downloader has it"


class End(Enum):
    """What becomes of a run."""

    INSTALLED = "installed"
    CANCELLED = "cancelled, with what came"
    CANCELLED_KEEPING = "cancelled, but for what came"
    FAILED = "failed, and a new pull goes on where it stopped"
    SPOILT = "failed, and what came is of no use"
    REFUSED = "refused"
    """The command, or we, are in the wrong: operators get to see it."""
    PAUSED = "paused"
    OUT_OF_HOURS = "put off to the next hours"
    LEFT = "left for another downloader"
    TAKEN_OVER = "taken over by another downloader"


class Step(Enum):
    """A part of an end."""

    PROVE = "the lease is ours still"
    DISCARD = "all that came is removed"
    SAY = "the state is written, however long the bus is gone"
    MENTION = "the state is written, if the bus is there"
    ANSWER = "the command goes: the job never runs again"
    BURY = "the command becomes a dead letter"
    PARK = "what came is laid aside, for whichever downloader goes on"
    YIELD = "our own draft goes, unless a pull waits that can use it"
    RELEASE = "others may have the lease at once"


# Said before it is answered: what could not be said leaves the command where it is, so that
# whoever takes it up next says it. Parked after it is said: then it no longer shows to be ours.
STEPS = {
    End.INSTALLED: (Step.SAY, Step.ANSWER, Step.RELEASE),
    End.CANCELLED: (Step.PROVE, Step.DISCARD, Step.SAY, Step.ANSWER, Step.RELEASE),
    End.CANCELLED_KEEPING: (Step.PROVE, Step.SAY, Step.ANSWER, Step.RELEASE),
    End.FAILED: (Step.PROVE, Step.SAY, Step.ANSWER, Step.RELEASE),
    End.SPOILT: (Step.PROVE, Step.DISCARD, Step.SAY, Step.ANSWER, Step.RELEASE),
    End.REFUSED: (Step.PROVE, Step.SAY, Step.BURY, Step.RELEASE),
    End.PAUSED: (Step.PROVE, Step.SAY, Step.PARK, Step.RELEASE),
    End.OUT_OF_HOURS: (Step.PROVE, Step.SAY, Step.PARK, Step.RELEASE),
    End.LEFT: (Step.MENTION, Step.RELEASE),
    End.TAKEN_OVER: (Step.YIELD,),
}
# Instead of the steps that are left, where the lease turns out to be lost. To release one that is
# another's changes nothing; the bus may also have refused the state only.
LOST = (Step.YIELD, Step.RELEASE)
# The state that is said. An end with an error leaves an install that stands what it is.
SAID = {
    End.INSTALLED: InstallState.INSTALLED,
    End.CANCELLED: InstallState.ABSENT,
    End.CANCELLED_KEEPING: InstallState.ABSENT,
    End.FAILED: InstallState.FAILED,
    End.SPOILT: InstallState.FAILED,
    End.REFUSED: InstallState.FAILED,
    End.PAUSED: InstallState.PAUSED,
    End.OUT_OF_HOURS: InstallState.QUEUED,
    End.LEFT: InstallState.QUEUED,
}
STOPPED = {
    Stop.CANCELLED: End.CANCELLED,
    Stop.CANCELLED_KEEPING: End.CANCELLED_KEEPING,
    Stop.PAUSED: End.PAUSED,
    Stop.OUT_OF_HOURS: End.OUT_OF_HOURS,
    Stop.ENDING: End.LEFT,
    Stop.TAKEN_OVER: End.TAKEN_OVER,
}
# Nothing is wrong with what came.
KEEPING = (DiskFull, VolumeUnwritable)


def turn_of(wish: Wish, *, is_open: bool, has_room: bool, is_resting: bool) -> Turn:
    """is_open: pulls like it run at this hour; has_room: one more pull may run here."""
    if wish.action == "cancel":
        return Turn.CANCEL
    if wish.action == "pause":
        return Turn.PAUSE
    if not is_open:
        return Turn.WAIT_FOR_HOURS
    if not has_room:
        return Turn.WAIT_FOR_ROOM
    return Turn.REST if is_resting else Turn.RUN


def stop_of(wish: Wish, *, is_open: bool) -> Stop | None:
    """Why a run has to stop, if it has to."""
    if wish.action == "cancel":
        return Stop.CANCELLED_KEEPING if wish.keep else Stop.CANCELLED
    if wish.action == "pause":
        return Stop.PAUSED
    return None if is_open else Stop.OUT_OF_HOURS


def end_of(error: Exception | None, stop: Stop | None, *, has_installed: bool) -> End:
    """error: what the run raised; stop: why it was stopped; has_installed: the files are there."""
    if isinstance(error, LeaseLost):
        return End.TAKEN_OVER
    if isinstance(error, PullError):
        return End.FAILED if error.retryable or isinstance(error, KEEPING) else End.SPOILT
    if error is not None:
        return End.REFUSED
    if has_installed:
        return End.INSTALLED
    if stop is None:
        raise ValueError("a run that nobody stopped installs, or raises")
    return STOPPED[stop]


def tries_of(status: ModelStatus | None, job: str) -> int:
    """How often work on the job was begun, the run that begins now included."""
    return status.begun + 1 if status is not None and status.job == job else 1


def is_worn_out(tries: int) -> bool:
    """Begun too often without an end: something in it kills who tries."""
    return tries > MAX_DELIVERIES


def first_seq(status: ModelStatus | None, job: str) -> int:
    """What a run counts on from."""
    if status is None or status.job != job:
        return QUEUED_SEQ
    return status.seq + SEQUENCE_GAP


def is_over(status: ModelStatus | None, job: str) -> bool:
    """The job has come to an end that the volume does not show."""
    if status is None or status.job != job:
        return False
    return status.state is InstallState.FAILED or (
        not status.state.is_active and status.error is not None
    )


def says_installed(status: ModelStatus | None, job: str) -> bool:
    """The job's install was told of; whether it is there still, the volume shows."""
    return status is not None and (status.job, status.state) == (job, InstallState.INSTALLED)


def has_said_end(status: ModelStatus | None, job: str) -> bool:
    """The job's last word is there: nothing is to be said after it."""
    return is_over(status, job) or says_installed(status, job)


def is_at_work(status: ModelStatus | None) -> bool:
    """A run is at work on the model, or died at it: the lease shows which."""
    return status is not None and status.state in IN_WORK


def may_retake(status: ModelStatus | None, job: str) -> bool:
    """A run whose lease ran out, and is nobody's, may take it again: nothing was said since."""
    return is_of_volume(status) or (
        status is not None and status.job == job and status.state.is_active
    )


def is_of_volume(status: ModelStatus | None) -> bool:
    """No pull and no delete has said it: there is none, or it was made from what is installed."""
    return status is None or not status.job
