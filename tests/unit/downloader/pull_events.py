"""What may happen to pulls, in any order."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
)

from sirene_downloader.decisions import Stop
from sirene_shared.errors import (
    DiskFull,
    HashMismatch,
    HubUnavailable,
    SireneError,
)
from sirene_shared.messages import Wish
from sirene_shared.names import ModelRef
from sirene_shared.subjects import ACK_WAIT_S, MAX_DELIVERIES
from tests.unit.downloader.pull_downloaders import Downloader
from tests.unit.downloader.pull_runs import Run
from tests.unit.downloader.pull_world import Command, World

REFS = st.sampled_from([ModelRef("voice", "one"), ModelRef("voice", "two")])
# What each leaves of the bytes: all of a full disk or a hub that is away, none of what is altered.
KEEPING = (DiskFull, HubUnavailable)
FAULTS = st.sampled_from([*KEEPING, HashMismatch, SireneError])
DOWNLOADERS = st.integers(0, 2)
ACTIONS = st.sampled_from(["run", "pause", "cancel"])
# More than a run, from its pick to its last step, has.
WHOLE_RUN = 40
SOME_STEPS = st.integers(1, 20)
# So many that a run is somewhere at work after them.
FEW_STEPS = st.integers(5, 12)


class PullEvents(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world, self.died = World(), Counter[str]()
        self.started = 0
        self.downloaders = [self.started_one() for _ in range(3)]
        self.faults = Counter[str]()
        self.had_a_killer = False
        self.keeps = dict[str, bool]()
        """Of the jobs that were cancelled: whether their bytes shall stay."""

    def started_one(self) -> Downloader:
        self.started += 1
        return Downloader(self.world, f"downloader-{self.started}", self.died)

    def runs(self) -> list[tuple[Downloader, Run]]:
        return [(each, run) for each in self.downloaders for run in each.runs.values()]

    def a_run(self, data: st.DataObject) -> tuple[Downloader, Run]:
        return data.draw(st.sampled_from(self.runs()), label="run")

    def kill(self, number: int) -> None:
        self.downloaders[number].crash()
        self.downloaders[number] = self.started_one()

    @rule(ref=REFS)
    def somebody_asks(self, ref: ModelRef) -> None:
        self.world.ask(ref)

    @rule(ref=REFS, number=DOWNLOADERS, steps=FEW_STEPS)
    def a_pull_begins(self, ref: ModelRef, number: int, steps: int) -> None:
        self.world.ask(ref)
        self.a_downloader_looks(number)
        self.downloaders[number].go_on(steps)

    @precondition(lambda self: self.world.volume)
    @rule(ref=REFS)
    def it_is_removed_by_hand(self, ref: ModelRef) -> None:
        if ref in self.world.volume - set(self.world.commands):
            self.world.lose(ref)

    @precondition(lambda self: self.world.commands)
    @rule(data=st.data(), action=ACTIONS, keep=st.booleans())
    def somebody_wishes(self, data: st.DataObject, action: str, keep: bool) -> None:
        self.wish(data.draw(st.sampled_from(list(self.world.commands.values()))), action, keep)

    @precondition(lambda self: self.runs())
    @rule(data=st.data(), action=ACTIONS, keep=st.booleans(), steps=SOME_STEPS, dies=st.booleans())
    def one_is_stopped_at_work(
        self, data: st.DataObject, action: str, keep: bool, steps: int, dies: bool
    ) -> None:
        downloader, run = self.a_run(data)
        self.wish(run.command, action, keep)
        downloader.look()
        downloader.advance(run, steps)
        if dies:
            self.kill(self.downloaders.index(downloader))

    def wish(self, command: Command, action: str, keep: bool) -> None:
        is_waiting = self.world.commands.get(command.ref) == command
        if is_waiting and command.job not in self.keeps:
            if action == "cancel":
                self.keeps[command.job] = keep
            self.world.wishes[command.ref] = Wish(
                model=command.ref.model,
                variant=command.ref.variant,
                job=command.job,
                action=action,  # type: ignore[arg-type]
                keep=keep,
            )

    @precondition(lambda self: self.world.commands)
    @rule(number=DOWNLOADERS)
    def a_downloader_looks(self, number: int) -> None:
        downloader = self.downloaders[number]
        downloader.look()
        for run in downloader.runs.values():
            if self.world.wish_of(run.command).action != "run" and not run.is_committing:
                assert run.stop is not None

    @precondition(lambda self: self.runs())
    @rule(data=st.data(), steps=SOME_STEPS)
    def a_run_goes_on(self, data: st.DataObject, steps: int) -> None:
        downloader, run = self.a_run(data)
        downloader.advance(run, steps)

    @precondition(lambda self: self.runs())
    @rule(data=st.data(), first=SOME_STEPS, others=SOME_STEPS, then=SOME_STEPS)
    def one_stalls_past_its_lease(
        self, data: st.DataObject, first: int, others: int, then: int
    ) -> None:
        downloader, run = self.a_run(data)
        downloader.advance(run, first)
        self.world.now += ACK_WAIT_S + 1
        for other in self.downloaders:
            if other is not downloader:
                other.look()
                other.go_on(others)
        if run in downloader.runs.values():
            downloader.advance(run, then)

    @rule(is_open=st.sampled_from([True, True, False]))
    def the_hour_changes(self, is_open: bool) -> None:
        self.world.is_open = is_open

    @rule(seconds=st.sampled_from([1, 4, ACK_WAIT_S + 1]))
    def time_passes_for_all_stand_still(self, seconds: int) -> None:
        self.world.now += seconds

    @precondition(lambda self: self.runs())
    @rule(data=st.data())
    def a_heart_beats(self, data: st.DataObject) -> None:
        _, run = self.a_run(data)
        if run.tries:
            run.beat()

    @precondition(lambda self: self.runs())
    @rule(number=DOWNLOADERS)
    def a_downloader_is_killed(self, number: int) -> None:
        self.kill(number)

    @precondition(lambda self: self.world.commands and not self.had_a_killer)
    @rule(times=st.sampled_from([2, MAX_DELIVERIES + 5]), steps=FEW_STEPS)
    def a_pull_kills_whoever_tries(self, times: int, steps: int) -> None:
        self.had_a_killer = True
        for _ in range(times):
            self.downloaders[0].look()
            for run in list(self.downloaders[0].runs.values()):
                self.downloaders[0].advance(run, steps)
            self.kill(0)
            self.world.now += ACK_WAIT_S

    @precondition(lambda self: self.runs())
    @rule(number=DOWNLOADERS)
    def a_service_ends(self, number: int) -> None:
        downloader = self.downloaders[number]
        for run in list(downloader.runs.values()):
            run.ask_to_stop(Stop.ENDING)
            downloader.advance(run, WHOLE_RUN)
        self.kill(number)

    @precondition(lambda self: self.runs())
    @rule(data=st.data(), kind=FAULTS, steps=SOME_STEPS, dies=st.booleans())
    def it_meets_an_error(
        self, data: st.DataObject, kind: type[SireneError], steps: int, dies: bool
    ) -> None:
        downloader, run = self.a_run(data)
        run.fault = kind("it failed")
        self.faults[run.command.job] += 1
        downloader.advance(run, steps)
        if dies:
            self.kill(self.downloaders.index(downloader))

    @precondition(lambda self: self.runs())
    @rule(data=st.data())
    def what_came_is_altered(self, data: st.DataObject) -> None:
        _, run = self.a_run(data)
        run.is_altered = True
