"""What operators are told of a command that could not be carried out."""

from sirene_shared.errors import Failure
from sirene_shared.wire import Wire


class DeadLetter(Wire, frozen=True, kw_only=True):
    """A command that was given up: published before it is terminated."""

    subject: str
    body: str
    """The message as text, cut to 64 KiB, undecodable bytes escaped."""
    deliveries: int = 0
    error: Failure
