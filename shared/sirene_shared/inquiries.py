"""What the API asks of downloaders and waits for, and what they answer: core NATS, kept nowhere.

A question about a model is one downloader's to answer; one about the downloaders themselves goes to
all of them, and each answers.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sirene_shared.errors import Failure
from sirene_shared.messages import PullLimits
from sirene_shared.wire import AboutModel, Count, Name, Wire


class TokenVerdict(StrEnum):
    """What the hub makes of the token that the downloader has."""

    NONE = "none"
    """One is needed, and there is none."""
    OK = "ok"
    WRONG = "wrong"
    TERMS_NOT_ACCEPTED = "terms_not_accepted"
    NOT_NEEDED = "not_needed"
    UNKNOWN = "unknown"
    """The hub could not be asked."""


class PreflightRequest(AboutModel, frozen=True, kw_only=True):
    """What would a pull of this variant need? Nothing is written."""


class Preflight(Wire, frozen=True, kw_only=True):
    total_bytes: Count | None = None
    """None when nobody says how long every file is."""
    missing_bytes: Count | None = None
    """Still to fetch: without parts of an earlier try and files that another variant has."""
    free_bytes: int = 0
    """On the volume's filesystem, less what running pulls have reserved."""
    reserved_bytes: Count = 0
    """What running pulls will still take; what was preallocated for them is no longer free."""
    fits: bool | None = None
    license: str = ""
    gated: bool = False
    token: TokenVerdict = TokenVerdict.UNKNOWN
    error: Failure | None = None
    """Why a pull would fail now, as far as can be told."""


class VerifyRequest(AboutModel, frozen=True, kw_only=True):
    """Hash every file of the install. The answer is a series, each with all that is known so far;
    a Control message ends it early."""

    job: Name


class FileState(StrEnum):
    OK = "ok"
    MISSING = "missing"
    WRONG_SIZE = "wrong_size"
    WRONG_HASH = "wrong_hash"
    UNREADABLE = "unreadable"


class CheckedFile(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    size: int
    """As recorded."""
    state: FileState


class Verification(Wire, frozen=True, kw_only=True):
    files: tuple[CheckedFile, ...] = ()
    checked_bytes: Count = 0
    total_bytes: Count = 0
    is_over: bool = False
    """The last of the series."""
    error: Failure | None = None


class PartsRequest(Wire, frozen=True, kw_only=True):
    """What is left of pulls that did not end with an install?"""

    delete: bool = False
    """Remove what no pull uses or waits for."""
    model: Annotated[str, Meta(max_length=200)] = ""
    """The key of one model; empty: all."""


class LeftPart(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one model in one downloader's corner."""

    model: str
    variant: str
    writer: str
    size_bytes: int
    """On the disk."""
    changed_at: float
    in_use: bool
    """A pull works on it, or waits to go on with it."""
    is_orphan: bool
    """Its writer is no more."""


class PartsReply(Wire, frozen=True, kw_only=True):
    parts: tuple[LeftPart, ...] = ()
    """All, or those that were removed."""
    error: Failure | None = None


class StorageRequest(Wire, frozen=True, kw_only=True):
    """To every downloader: how full is your volume?"""


class Storage(Wire, frozen=True, kw_only=True):
    writer: str = ""
    volume: str = ""
    """The same for all downloaders of one volume; empty: it cannot be told."""
    total_bytes: Count = 0
    free_bytes: Count = 0
    """For the downloader, before what is reserved."""
    reserved_bytes: Count = 0
    """What running pulls will still take."""
    installed_bytes: Count = 0
    """Of the models' directories; what several variants share counts once."""
    parts_bytes: Count = 0
    """What is left of pulls, and what running ones have."""
    error: Failure | None = None


class TokenSource(StrEnum):
    """Where the token for the hub is from."""

    STORED = "stored"
    """Somebody gave it while Sirene runs: it counts before the environment's."""
    ENVIRONMENT = "environment"
    NONE = "none"


class SetupRequest(Wire, frozen=True, kw_only=True):
    """To every downloader: what is in force?"""


class Setup(Wire, frozen=True, kw_only=True):
    """Hosts without paths, and no secret."""

    writer: str = ""
    replica: str = ""
    version: str = ""
    endpoint: str = ""
    mirrors: tuple[str, ...] = ()
    offline: bool = False
    token: TokenSource = TokenSource.NONE
    limits: PullLimits = PullLimits()
    """Now."""
    own_limits: PullLimits = PullLimits()
    """Of the environment."""
    pull_hours: str = ""
    keep_parts_h: Count = 0
    error: Failure | None = None


# What may stand in a header, and on one line.
MAX_TOKEN_CHARACTERS = 512
TOKEN_PATTERN = f"^[!-~]{{1,{MAX_TOKEN_CHARACTERS}}}$"
TOKEN = re.compile(TOKEN_PATTERN)


class TokenCheck(StrEnum):
    """What the hub says to a token."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It could not be asked."""


class TokenRequest(Wire, frozen=True, kw_only=True):
    """To every downloader: ask the hub about this token, keep it, or forget the one you keep."""

    action: Literal["check", "keep", "clear"]
    token: Annotated[str, Meta(max_length=MAX_TOKEN_CHARACTERS)] = ""

    def __repr__(self) -> str:
        return f"TokenRequest(action={self.action!r})"


class TokenReply(Wire, frozen=True, kw_only=True):
    writer: str = ""
    check: TokenCheck = TokenCheck.UNKNOWN
    source: TokenSource = TokenSource.NONE
    error: Failure | None = None
