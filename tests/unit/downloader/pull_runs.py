"""Runs in a world of plain values: each stops after each operation, so that it can be overtaken,
stall or die there. What it does next is for the decisions to say."""

from collections.abc import Generator
from dataclasses import dataclass, field

from sirene_downloader.decisions import (
    LOST,
    SAID,
    STEPS,
    End,
    Step,
    Stop,
    end_of,
    first_seq,
    has_said_end,
    is_worn_out,
    may_retake,
    tries_of,
)
from sirene_shared.errors import LeaseLost, PullCancelled, SireneError, VolumeUnwritable
from sirene_shared.messages import InstallState
from tests.unit.downloader.pull_tenure import Tenure
from tests.unit.downloader.pull_world import TOTAL, Command, Draft, Left, World, status_of

BEGUN_TOO_OFTEN = "begun too often"
Steps = Generator[None, None, None]
Asked = Generator[None, None, bool]


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
            world.left.append(Left(status, place))

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
        # A stall past the lease just here does harm, and so none is tried: the run takes the draft
        # of its heir away, which then fails, and has to be asked for again.
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
