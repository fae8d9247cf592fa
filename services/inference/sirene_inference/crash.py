"""What is said of a runner that ended, and to whom."""

import signal

from sirene_shared.errors import OutOfMemory, RunnerCrashed, SireneError


class TakenAway(Exception):
    """The runner ended for another's sake before a speech was heard: the next one may speak it."""

    def __init__(self, cause: SireneError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def crash_of(name: str, status: int, cause: str, *, is_ours: bool, oom_kills: int) -> SireneError:
    """is_ours: the service ended it. oom_kills: how many the kernel has made in its lifetime."""
    if status == -signal.SIGKILL and not is_ours and oom_kills > 0:
        return OutOfMemory(
            f"the runner of {name!r} was ended by the system: memory ran out",
            hint="Unload a model, or give the service more memory.",
        )
    return RunnerCrashed(
        f"the runner of {name!r} ended: {cause}", hint="Try again: the model is loaded anew."
    )
