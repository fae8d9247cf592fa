"""One script: what goes wrong, and what is right then."""

import json
import random
from collections.abc import Callable

import msgspec

from tests.support.hub import LISTING, TREE, Fault, Hub, Storm

REPO = "acme/voices"
SOURCE = "small/model.onnx"
"""The file that everything happens to; the model has a small one beside it."""

INSTALLED = "installed"

MIB = 1 << 20
SMALL = 2 * MIB + 17
# Large enough that it is worth several connections.
LARGE = 36 * MIB + 17


class Stage:
    """A hub with the model, and another host that has the same file."""

    def __init__(self, script: "Script", hub: Hub, elsewhere: Hub) -> None:
        self.hub = hub
        self.elsewhere = elsewhere
        self.content = random.Random(script.name).randbytes(script.size)
        self.other = random.Random(script.name + "!").randbytes(script.size)
        """Of the same length."""
        self.expected = self.content
        """What must lie there in the end, if anything does."""

    @property
    def size(self) -> int:
        return len(self.content)

    def fault(self, *faults: Fault | Storm) -> None:
        """What goes wrong with the file."""
        self.hub.fault(SOURCE, *faults)

    def fault_api(self, **fault: object) -> None:
        """What goes wrong with the hub's API."""
        for listing in (LISTING, TREE):
            self.hub.fault(listing, Fault(**fault))  # type: ignore[arg-type]

    def told(self) -> tuple[dict[str, object], list[dict[str, object]]]:
        """What the API says of the repository, and in it, of its files; for tell()."""
        told = self.hub.listing(REPO)
        files = told["siblings"]
        assert isinstance(files, list)
        return told, files

    def tell(self, told: dict[str, object]) -> None:
        """Let the API say this of the repository."""
        headers = {"Content-Type": "application/json"}
        self.hub.fault(LISTING, Fault(body=json.dumps(told).encode(), headers=headers))

    @property
    def other_url(self) -> str:
        """The same file at the other host."""
        return f"{self.elsewhere.url}/{REPO}/resolve/main/{SOURCE}"

    def unmet(self) -> list[object]:
        """What was arranged and never happened."""
        hubs = (self.hub, self.elsewhere)
        return [each for hub in hubs for path in (SOURCE, LISTING) for each in hub.unmet(path)]

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        for hub in (self.hub, self.elsewhere):
            for path in (SOURCE, LISTING, TREE):
                hub.fault(path, None)
            hub.resets_on_accept = 0
            hub.release()


class Script(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    what: str
    arrange: Callable[[Stage], None]
    outcome: str = INSTALLED
    """INSTALLED, or the code of the error it fails with."""
    size: int = SMALL
    fetches: int = 1
    """How often the whole file may come at most."""
    breaks: int = 0
    """After how many interruptions; each may cost 8 MiB."""
    known: tuple[str, ...] = ()
    """What the manifest says of the file: size, sha256."""
    token: str = ""
    attempts: int = 3
    at_least_s: float = 0
    """The hub asked for so much patience."""

    @property
    def most_bytes(self) -> int:
        return round(1.3 * self.fetches * self.size) + self.breaks * 8 * MIB
