"""Downloaders in a world of plain values: what each does with the commands that wait."""

from collections import Counter

from sirene_downloader.decisions import Turn, stop_of, turn_of
from sirene_shared.messages import InstallState, ModelStatus
from tests.unit.downloader.pull_runs import Run
from tests.unit.downloader.pull_tenure import Tenure
from tests.unit.downloader.pull_world import Command, World

ROOM = 2
SHOWN = {
    Turn.PAUSE: (InstallState.PAUSED, "paused"),
    Turn.WAIT_FOR_HOURS: (InstallState.QUEUED, "out of hours"),
    Turn.WAIT_FOR_ROOM: (InstallState.QUEUED, ""),
}


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

    def go_on(self, steps: int) -> None:
        for run in list(self.runs.values()):
            self.advance(run, steps)

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
