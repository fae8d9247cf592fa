"""Downloaders in a world of plain values: a run stops after each operation, so that it can be
overtaken, stall or die there. What it does next is for the decisions to say."""

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from sirene_downloader.decisions import (
    LOST,
    SAID,
    STEPS,
    End,
    Step,
    Stop,
    Turn,
    end_of,
    first_seq,
    has_said_end,
    is_worn_out,
    may_retake,
    stop_of,
    tries_of,
    turn_of,
)
from sirene_shared.errors import LeaseLost, PullCancelled, SireneError, VolumeUnwritable
from sirene_shared.messages import InstallState, ModelStatus
from tests.unit.downloader.pull_world import TOTAL, Command, Draft, Left, World, status_of

ROOM = 2
BEGUN_TOO_OFTEN = "begun too often"
SHOWN = {
    Turn.PAUSE: (InstallState.PAUSED, "paused"),
    Turn.WAIT_FOR_HOURS: (InstallState.QUEUED, "out of hours"),
    Turn.WAIT_FOR_ROOM: (InstallState.QUEUED, ""),
}
Steps = Generator[None, None, None]
Asked = Generator[None, None, bool]


class Tenure:
    """The lease, as one holder knows it."""

    def __init__(
        self, world: World, command: Command, holder: str, may_go_on: Callable[[], bool]
    ) -> None:
        self._world, self._command, self._holder = world, command, holder
        self._may_go_on = may_go_on
        self.revision = self.number = 0
        self.is_lost = False

    def take(self) -> bool:
        world, ref = self._world, self._command.ref
        entry = world.lease(ref)
        taken = None if entry.holder else world.put_lease(ref, self._holder, entry.revision)
        self.revision = self.number = taken or 0
        return taken is not None

    def renew(self) -> None:
        """Raises: LeaseLost."""
        world, ref = self._world, self._command.ref
        renewed = None if self.is_lost else world.put_lease(ref, self._holder, self.revision)
        if renewed is not None:
            self.revision = renewed
        elif self.is_lost or not self.take() or not self._may_go_on():
            self.is_lost = True
            self.release()
            raise LeaseLost("another has it")

    def release(self) -> None:
        self._world.remove_lease(self._command.ref, self.revision)


@dataclass(eq=False, repr=False)
class Run:
    """One try at one command."""

    world: World
    writer: str
    command: Command
    stop: Stop | None = None
    fault: SireneError | None = None
    is_altered: bool = False
    """What came has another hash than it should."""
    is_committing: bool = False
    has_begun: bool = False
    """And has not said how it ended."""
    tries: int = 0
    told: list[tuple[int, int]] = field(default_factory=list)
    """Attempt and bytes."""

    def __post_init__(self) -> None:
        self.lease = Tenure(self.world, self.command, self.writer, self._may_go_on)
        self._seq = self._revision = 0
        self._draft: Draft | None = None
        self.steps = self._lead()

    def __repr__(self) -> str:
        return f"{self.command.job} on {self.writer}"

    def ask_to_stop(self, reason: Stop) -> None:
        if not self.is_committing and self.stop is None:
            self.stop = reason

    def beat(self) -> None:
        try:
            self.lease.renew()
        except LeaseLost:
            self.ask_to_stop(Stop.TAKEN_OVER)

    def _lead(self) -> Steps:
        world, command = self.world, self.command
        status, _ = world.read(command.ref)
        if world.has_ended(status, command):
            world.drop(command)
            return
        yield
        if not self.lease.take():
            return
        yield
        if world.commands.get(command.ref) != command:
            self.lease.release()
            return
        yield
        status, self._revision = world.read(command.ref)
        yield
        try:
            self.lease.renew()
        except LeaseLost:
            return
        yield
        if world.has_ended(status, command):
            world.drop(command)
            yield
            self.lease.release()
            return
        self._seq, self.tries = first_seq(status, command.job), tries_of(status, command.job)
        yield
        error, has_installed = None, False
        try:
            has_installed = yield from self._until_stopped()
        except SireneError as met:
            error = met
        end = end_of(error, self.stop, has_installed=has_installed)
        for step in STEPS[end]:
            yield
            if step is Step.RELEASE:
                self._note()
            if not (yield from self._is_done(step, end, error)):
                for rest in LOST:
                    yield from self._is_done(rest, end, error)
                return

    def _note(self) -> None:
        world, ref = self.world, self.command.ref
        status, revision = world.read(ref)
        is_ours = world.lease(ref).revision == self.lease.revision and revision == self._revision
        if is_ours and self._draft is not None and status is not None and not self.has_begun:
            place = world.place_of(self.writer, ref, self._draft)
            world.left.append(Left(status, world.wish_of(self.command), place))

    def _until_stopped(self) -> Asked:
        """Raises: SireneError."""
        pull = self._pull()
        while self.stop is None or self.is_committing:
            if next(pull, "installed") == "installed":
                return True
            yield
        return False

    def _pull(self) -> Steps:
        """Raises: SireneError."""
        world, ref = self.world, self.command.ref
        if is_worn_out(self.tries):
            raise SireneError(BEGUN_TOO_OFTEN)
        if ref in world.volume:
            world.discard(self.writer, ref)
            return
        yield from self._enter(InstallState.DOWNLOADING)
        yield
        self._draft = draft = world.draft(self.writer, ref, self)
        if ref in world.volume:
            world.discard(self.writer, ref)
            return
        attempt = self.tries
        self.told.append((attempt, draft.done))
        while draft.done < TOTAL or self.is_altered:
            yield
            if self.fault is not None:
                raise self.fault
            draft.done = min(draft.done + 1, TOTAL)
            if self.is_altered:
                self.is_altered, draft.done = False, 0
                attempt += 1
            self.told.append((attempt, draft.done))
        yield
        yield from self._enter(InstallState.VERIFYING)
        yield
        self.lease.renew()
        self.is_committing = True
        yield
        if not world.install(self.writer, self.command):
            raise VolumeUnwritable("the draft is gone")

    def _is_done(self, step: Step, end: End, error: SireneError | None) -> Asked:
        world, command, ref = self.world, self.command, self.command.ref
        match step:
            case Step.PROVE:
                try:
                    self.lease.renew()
                except LeaseLost:
                    return False
            case Step.DISCARD:
                world.discard(self.writer, ref)
            case Step.SAY | Step.MENTION:
                if end in (End.CANCELLED, End.CANCELLED_KEEPING):
                    error = PullCancelled("it was cancelled")
                stands = error is not None and ref in world.volume
                state = InstallState.INSTALLED if stands else SAID[end]
                failure = error.failure() if error else None
                reason = end.value if end in (End.PAUSED, End.OUT_OF_HOURS) else ""
                is_said = yield from self._say(state, error=failure, reason=reason)
                self.has_begun &= not is_said
                return is_said
            case Step.ANSWER | Step.BURY:
                world.drop(command)
            case Step.PARK:
                world.park(self.writer, ref)
            case Step.YIELD if ref not in world.commands:
                world.corners[self.writer].pop(ref, None)
            case Step.RELEASE:
                self.lease.release()
        return True

    def _enter(self, state: InstallState) -> Steps:
        """Raises: LeaseLost."""
        is_said = yield from self._say(state, begun=self.tries)
        self.has_begun |= is_said
        if not is_said:
            raise LeaseLost("another has it")

    def _say(self, state: InstallState, **more: object) -> Asked:
        """On top of the last word alone. False: the lease is lost."""
        self._seq += 1
        while True:
            status = status_of(self.command, state, self._seq, **more)
            written = self.world.put(status, self._revision, self.lease.number)
            if written is not None:
                self._revision = written
                return True
            known, revision = self.world.read(self.command.ref)
            yield
            try:
                self.lease.renew()
            except LeaseLost:
                return False
            if has_said_end(known, self.command.job):
                return False
            self._revision = revision
            if known is not None and known.job == self.command.job:
                self._seq = max(self._seq, known.seq + 1)

    def _may_go_on(self) -> bool:
        world, ref = self.world, self.command.ref
        draft = world.corners[self.writer].get(ref)
        if draft is None or draft.ticket is not self or world.commands.get(ref) != self.command:
            return False
        return may_retake(world.read(ref)[0], self.command.job)


class Downloader:
    def __init__(self, world: World, writer: str, died: Counter[str]) -> None:
        """died: how often in a row each job's run did, at work."""
        self.world, self.writer, self.runs = world, writer, dict[str, Run]()
        self._died = died
        world.living.add(writer)
        world.corners[writer] = {}

    def look(self) -> None:
        world = self.world
        for run in self.runs.values():
            reason = stop_of(world.wish_of(run.command), is_open=world.is_open)
            if reason is not None:
                run.ask_to_stop(reason)
        busy = {run.command.ref for run in self.runs.values()}
        for command in [each for each in world.commands.values() if each.ref not in busy]:
            turn = turn_of(
                world.wish_of(command),
                is_open=world.is_open,
                has_room=len(self.runs) < ROOM,
                is_resting=False,
            )
            if turn is Turn.CANCEL:
                self._cancel(command)
            elif turn is Turn.RUN:
                self.runs[command.job] = Run(world, self.writer, command)
            elif turn in SHOWN:
                world.show(command, *SHOWN[turn])

    def _cancel(self, command: Command) -> None:
        world = self.world
        lease = Tenure(world, command, f"{self.writer}-cancel", lambda: False)
        if lease.take():
            world.fence(self.writer, command.ref)
            if not world.wish_of(command).keep:
                world.discard(self.writer, command.ref)
            world.cancel(command, lease.number)
            lease.release()

    def advance(self, run: Run, steps: int = 1) -> None:
        for _ in range(steps):
            if next(run.steps, "ended") == "ended":
                self._leave(run)
                return

    def _leave(self, run: Run) -> None:
        del self.runs[run.command.job]
        if not run.has_begun and run.tries:
            self._died.pop(run.command.job, None)

    def crash(self) -> None:
        for run in self.runs.values():
            self._died[run.command.job] += run.has_begun
        self.runs.clear()
        self.world.living.discard(self.writer)


def last_said(world: World, command: Command) -> ModelStatus | None:
    words = [each.status for each in world.words[command.ref] if each.status.job == command.job]
    return words[-1] if words else None
