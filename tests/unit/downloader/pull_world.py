"""Bus and volume as plain values, each operation on them at once and whole."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec

from sirene_downloader.decisions import (
    QUEUED_SEQ,
    has_said_end,
    is_at_work,
    is_over,
    says_installed,
)
from sirene_shared.errors import PullCancelled
from sirene_shared.messages import InstallState, ModelStatus, Wish
from sirene_shared.names import ModelRef
from sirene_shared.subjects import ACK_WAIT_S

TOTAL = 3
PARKED = "parked"
NOBODY = 0
Place = Literal["own", "parked", "gone"]


class Command(NamedTuple):
    ref: ModelRef
    job: str
    sequence: int


class Word(NamedTuple):
    """Something that was said of a model's state."""

    status: ModelStatus
    tenure: int
    """Whoever had the lease when it was last taken by who speaks; 0: who speaks needs none."""

    @property
    def is_end(self) -> bool:
        return has_said_end(self.status, self.status.job)


class Left(NamedTuple):
    """An end that was reached while the lease was held, and where the bytes were then."""

    said: ModelStatus
    place: Place


@dataclass(eq=False)
class Draft:
    done: int = 0
    ticket: object = None


@dataclass
class Entry:
    holder: str = ""
    revision: int = 0
    until: float = 0.0


@dataclass(eq=False, repr=False)
class World:
    now: float = 0.0
    is_open: bool = True
    revision: int = 0
    commands: dict[ModelRef, Command] = field(default_factory=dict)
    wishes: dict[ModelRef, Wish] = field(default_factory=dict)
    states: dict[ModelRef, tuple[ModelStatus | None, int]] = field(default_factory=dict)
    leases: dict[ModelRef, Entry] = field(default_factory=lambda: defaultdict(Entry))
    volume: set[ModelRef] = field(default_factory=set)
    corners: dict[str, dict[ModelRef, Draft]] = field(default_factory=lambda: {PARKED: {}})
    living: set[str] = field(default_factory=set)
    asked: list[Command] = field(default_factory=list)
    words: dict[ModelRef, list[Word]] = field(default_factory=lambda: defaultdict(list))
    left: list[Left] = field(default_factory=list)
    late_installs: list[str] = field(default_factory=list)

    def next_revision(self) -> int:
        self.revision += 1
        return self.revision

    # The queue and the wishes.

    def ask(self, ref: ModelRef) -> None:
        """A pull is queued; or joined, when there is one."""
        if ref not in self.commands:
            sequence = self.next_revision()
            self.commands[ref] = Command(ref, f"job-{sequence}", sequence)
            self.asked.append(self.commands[ref])

    def wish_of(self, command: Command) -> Wish:
        wish = self.wishes.get(command.ref)
        if wish is not None and wish.job == command.job:
            return wish
        return Wish(model=command.ref.model, variant=command.ref.variant, job=command.job)

    def drop(self, command: Command) -> None:
        if self.commands.get(command.ref) == command:
            del self.commands[command.ref]

    # The states.

    def has_ended(self, status: ModelStatus | None, command: Command) -> bool:
        is_told = says_installed(status, command.job) and command.ref in self.volume
        return is_over(status, command.job) or is_told

    def read(self, ref: ModelRef) -> tuple[ModelStatus | None, int]:
        return self.states.get(ref, (None, 0))

    def put(self, status: ModelStatus, last: int, tenure: int = NOBODY) -> int | None:
        """The new revision; None when `last` is no longer the current one."""
        if self.read(status.ref)[1] != last:
            return None
        self.states[status.ref] = status, self.next_revision()
        self.words[status.ref].append(Word(status, tenure))
        return self.revision

    def show(self, command: Command, state: InstallState, reason: str) -> None:
        """As the dispatcher does for what waits."""
        status, revision = self.read(command.ref)
        if self.has_ended(status, command):
            self.drop(command)
            return
        ours = status if status and status.job == command.job else None
        if ours and (ours.state, ours.reason) == (state, reason):
            return
        if is_at_work(status) and self.holder(command.ref):
            return
        seq, begun = (ours.seq + 1, ours.begun) if ours else (QUEUED_SEQ, 0)
        self.put(status_of(command, state, seq, begun=begun, reason=reason), revision)

    def cancel(self, command: Command, tenure: int) -> None:
        """As the backlog does for what nobody works on."""
        status, revision = self.read(command.ref)
        if has_said_end(status, command.job):
            self.drop(command)
            return
        is_ours = status is not None and status.job == command.job
        seq = status.seq + 1 if status is not None and is_ours else QUEUED_SEQ
        state = InstallState.INSTALLED if command.ref in self.volume else InstallState.ABSENT
        error = PullCancelled("it was cancelled").failure()
        if self.put(status_of(command, state, seq, error=error), revision, tenure):
            self.drop(command)

    # The leases.

    def lease(self, ref: ModelRef) -> Entry:
        """The entry as it is; one that ran out has another revision."""
        entry = self.leases[ref]
        if entry.holder and entry.until <= self.now:
            self.leases[ref] = entry = Entry(revision=self.next_revision())
        return entry

    def holder(self, ref: ModelRef) -> str:
        return self.lease(ref).holder

    def put_lease(self, ref: ModelRef, holder: str, last: int) -> int | None:
        if self.lease(ref).revision != last:
            return None
        self.leases[ref] = Entry(holder, self.next_revision(), self.now + ACK_WAIT_S)
        return self.revision

    def remove_lease(self, ref: ModelRef, last: int) -> None:
        if self.lease(ref).revision == last:
            self.leases[ref] = Entry(revision=self.next_revision())

    # The volume.

    def fence(self, writer: str, ref: ModelRef) -> None:
        for name, corner in self.corners.items():
            if name in self.living - {writer}:
                corner.pop(ref, None)

    def draft(self, writer: str, ref: ModelRef, ticket: object) -> Draft:
        own = self.corners[writer]
        for corner in self.dead():
            left = corner.pop(ref, None)
            if left is not None:
                own.setdefault(ref, left)
        self.fence(writer, ref)
        draft = own.setdefault(ref, Draft())
        draft.ticket = ticket
        return draft

    def discard(self, writer: str, ref: ModelRef) -> None:
        for corner in (self.corners[writer], *self.dead()):
            corner.pop(ref, None)

    def park(self, writer: str, ref: ModelRef) -> None:
        draft = self.corners[writer].pop(ref, None)
        if draft is not None:
            self.corners[PARKED][ref] = draft

    def lose(self, ref: ModelRef) -> None:
        """Somebody removed it by hand, and the inventory has seen it."""
        self.volume.discard(ref)
        gone = ModelStatus(model=ref.model, variant=ref.variant, state=InstallState.ABSENT)
        self.put(gone, self.read(ref)[1])

    def install(self, writer: str, command: Command) -> bool:
        """The rename; False when the draft was taken away."""
        if self.corners[writer].pop(command.ref, None) is None:
            return False
        if any(word.is_end and word.status.job == command.job for word in self.words[command.ref]):
            self.late_installs.append(command.job)
        self.volume.add(command.ref)
        return True

    def dead(self) -> list[dict[ModelRef, Draft]]:
        return [corner for name, corner in self.corners.items() if name not in self.living]

    def place_of(
        self, writer: str, ref: ModelRef, draft: Draft
    ) -> Literal["own", "parked", "gone"]:
        if self.corners[writer].get(ref) is draft:
            return "own"
        return "parked" if self.corners[PARKED].get(ref) is draft else "gone"

    def drafts(self, ref: ModelRef) -> list[Draft]:
        return [corner[ref] for corner in self.corners.values() if ref in corner]


def status_of(command: Command, state: InstallState, seq: int, **more: object) -> ModelStatus:
    blank = ModelStatus(
        model=command.ref.model, variant=command.ref.variant, job=command.job, state=state, seq=seq
    )
    return msgspec.structs.replace(blank, **more)
