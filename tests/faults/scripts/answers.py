"""What the hub answers instead of the file: refusals, some for a while and some for good."""

import email.utils
import time
from collections.abc import Callable

from tests.faults.scripts.script import LARGE, MIB, SOURCE, Script, Stage
from tests.support.hub import LISTING, TREE, Fault


def _refuse(status: int, reason: str = "") -> Callable[[Stage], None]:
    """The whole repository is refused, whichever part of it is asked for first."""

    def arrange(stage: Stage) -> None:
        headers = {"X-Error-Code": reason} if reason else {}
        refused = Fault(heads=True, status=status, headers=headers)
        for path in (LISTING, TREE, SOURCE):
            stage.hub.fault(path, refused)

    return arrange


def _ask_for_patience_until(stage: Stage) -> None:
    now = time.time()
    headers = {
        "Date": email.utils.formatdate(now, usegmt=True),
        "Retry-After": email.utils.formatdate(now + 2, usegmt=True),
    }
    stage.fault(Fault(status=429, headers=headers, times=1))


SCRIPTS = (
    Script(
        name="503 twice",
        what="the hub is overloaded for two requests",
        arrange=lambda stage: stage.fault(Fault(status=503, times=2)),
        breaks=2,
    ),
    Script(
        name="burst of 5xx",
        what="500 once and 504 once late in the file, after a drop",
        arrange=lambda stage: stage.fault(
            Fault(drop_at=20 * MIB, times=1),
            Fault(status=500, covering=30 * MIB, times=1),
            Fault(status=504, covering=30 * MIB, times=1),
        ),
        size=LARGE,
        breaks=3,
        attempts=6,
    ),
    Script(
        name="500 for ever",
        what="the hub is broken",
        arrange=lambda stage: stage.fault(Fault(status=500)),
        outcome="hub_unavailable",
    ),
    Script(
        name="429 with seconds",
        what="the hub asks to come back in a second",
        arrange=lambda stage: stage.fault(Fault(status=429, headers={"Retry-After": "1"}, times=1)),
        breaks=1,
        at_least_s=1.0,
    ),
    Script(
        name="429 with a date",
        what="the hub asks to come back at a time that is two seconds away",
        arrange=_ask_for_patience_until,
        breaks=1,
        at_least_s=1.5,
    ),
    Script(
        name="429 for hours",
        what="the hub asks for more patience than anybody has",
        arrange=lambda stage: stage.fault(Fault(status=429, headers={"Retry-After": "9999"})),
        outcome="hub_rate_limited",
    ),
    Script(
        name="429 for ever",
        what="the hub limits us and does not say for how long",
        arrange=lambda stage: stage.fault(Fault(status=429)),
        outcome="hub_rate_limited",
    ),
    Script(
        name="401 without a token",
        what="a private repository, or none, and no token",
        arrange=_refuse(401, "RepoNotFound"),
        outcome="hub_unauthorized",
    ),
    Script(
        name="401 gated",
        what="a gated repository, and no token",
        arrange=_refuse(401, "GatedRepo"),
        outcome="hub_unauthorized",
    ),
    Script(
        name="401 with a token",
        what="the token is wrong or has expired",
        arrange=_refuse(401),
        outcome="hub_token_refused",
        token="hf_expired",
    ),
    Script(
        name="403 gated",
        what="the token is good, the terms are not accepted",
        arrange=_refuse(403, "GatedRepo"),
        outcome="hub_forbidden",
        token="hf_good",
    ),
    Script(
        name="404 of the file",
        what="the file is not in the repository",
        arrange=lambda stage: stage.fault(
            Fault(heads=True, status=404, headers={"X-Error-Code": "EntryNotFound"})
        ),
        outcome="hub_file_missing",
    ),
    Script(
        name="404 of the repository",
        what="the repository is gone",
        arrange=_refuse(404, "RepoNotFound"),
        outcome="hub_file_missing",
    ),
    Script(
        name="416 once",
        what="a connection breaks, and the next request is told that its range cannot be had",
        arrange=lambda stage: stage.fault(Fault(drop_at=MIB, times=1), Fault(status=416, times=1)),
        fetches=2,
        breaks=2,
    ),
    Script(
        name="416 for ever",
        what="no range of the file can be had, not even all of it",
        arrange=lambda stage: stage.fault(Fault(status=416)),
        outcome="size_mismatch",
    ),
)
