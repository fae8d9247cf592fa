"""What a hub, a proxy or a network may do to a pull, and what must come of it.

Every script holds for one connection and for many, and for requests in any order: it speaks of the
bytes of the file and of the first so many requests, never of "the second request".
"""

from tests.faults.scripts import answers, bodies, connections, listings, redirects
from tests.faults.scripts.script import INSTALLED, REPO, SOURCE, Script, Stage

__all__ = ["INSTALLED", "REPO", "SCRIPTS", "SOURCE", "Script", "Stage"]

SCRIPTS: tuple[Script, ...] = (
    *connections.SCRIPTS,
    *answers.SCRIPTS,
    *redirects.SCRIPTS,
    *bodies.SCRIPTS,
    *listings.SCRIPTS,
)
