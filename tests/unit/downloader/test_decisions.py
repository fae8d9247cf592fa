"""The pull's decisions under random events: whatever happens, in any order, the promises hold."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sirene_downloader.decisions import Stop
from sirene_shared.errors import (
    DiskFull,
    HashMismatch,
    HubUnavailable,
    PullCancelled,
    SireneError,
)
from sirene_shared.messages import InstallState, Wish
from sirene_shared.names import ModelRef
from sirene_shared.subjects import ACK_WAIT_S, MAX_DELIVERIES
from tests.unit.downloader.pull_runs import BEGUN_TOO_OFTEN, Downloader, Run, last_said
from tests.unit.downloader.pull_world import TOTAL, Command, World

REFS = st.sampled_from([ModelRef("voice", "one"), ModelRef("voice", "two")])
# What each leaves of the bytes: all of a full disk or a hub that is away, none of what is altered.
KEEPING = (DiskFull, HubUnavailable)
FAULTS = st.sampled_from([*KEEPING, HashMismatch, SireneError])
DOWNLOADERS = st.integers(0, 2)
ACTIONS = st.sampled_from(["run", "pause", "cancel"])
WORN_OUT = SireneError(BEGUN_TOO_OFTEN).failure()
# More than a run, from its pick to its last step, has.
WHOLE_RUN = 40
SOME_STEPS = st.integers(1, 20)
# So many that a run is somewhere at work after them.
FEW_STEPS = st.integers(5, 12)
# Each command needs a few looks, and a dead one's lease some seconds.
ROUNDS = 40


class PullMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world, self.died = World(), Counter[str]()
        self.started = 0
        self.downloaders = [self.started_one() for _ in range(3)]
        self.faults = Counter[str]()
        self.had_a_killer = False

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
        self.all_go_on(self.downloaders[number], steps)

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
        if self.world.wish_of(command).action != "cancel":
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
                self.all_go_on(other, others)
        if run in downloader.runs.values():
            downloader.advance(run, then)

    def all_go_on(self, downloader: Downloader, steps: int) -> None:
        for run in list(downloader.runs.values()):
            downloader.advance(run, steps)

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

    @invariant()
    def each_job_has_one_end_and_it_is_its_last_word(self) -> None:
        for words in self.world.words.values():
            ended = set[str]()
            for word in words:
                assert word.status.job not in ended, [each.status.state for each in words]
                if word.is_end:
                    ended.add(word.status.job)

    @invariant()
    def the_words_of_a_job_are_numbered(self) -> None:
        for words in self.world.words.values():
            for one, next_one in pairwise(words):
                if one.status.job == next_one.status.job:
                    assert one.status.seq < next_one.status.seq

    @invariant()
    def who_lost_the_lease_is_silent_once_its_heir_has_spoken(self) -> None:
        for words in self.world.words.values():
            tenures = [word.tenure for word in words if word.tenure]
            assert tenures == sorted(tenures)

    @invariant()
    def what_has_ended_never_installs(self) -> None:
        assert not self.world.late_installs

    @invariant()
    def progress_never_lies(self) -> None:
        for _, run in self.runs():
            assert all(0 <= done <= TOTAL for _, done in run.told)
            assert run.told == sorted(run.told)

    @invariant()
    def a_pull_that_kills_is_given_up(self) -> None:
        assert all(died <= MAX_DELIVERIES for died in self.died.values())

    @invariant()
    def nothing_fails_that_met_no_error(self) -> None:
        for command in self.world.asked:
            said = last_said(self.world, command)
            if said is not None and said.state is InstallState.FAILED:
                assert self.faults[command.job] or said.error == WORN_OUT

    def teardown(self) -> None:
        """Once all runs again, every command comes to its end, and bytes are kept as it says."""
        world = self.world
        world.is_open = True
        world.wishes = {ref: wish for ref, wish in world.wishes.items() if wish.action == "cancel"}
        for _ in range(ROUNDS):
            for downloader in self.downloaders:
                downloader.look()
                for run in list(downloader.runs.values()):
                    downloader.advance(run, WHOLE_RUN)
            world.now += 1
        assert not world.commands
        assert not self.runs()
        for command in world.asked:
            said = last_said(world, command)
            assert said is not None
            assert not said.state.is_active
        for ref in {command.ref for command in world.asked}:
            self.check_bytes(ref)

    @invariant()
    def what_is_kept_of_the_bytes_fits_the_end(self) -> None:
        for said, wished, place in self.world.left:
            code = said.error.code if said.error else ""
            if said.state in (InstallState.PAUSED, InstallState.QUEUED):
                assert place == ("parked" if said.reason else "own"), said
            elif code == PullCancelled.code:
                assert place == ("own" if wished.keep else "gone"), said
            elif code in {kind.code for kind in KEEPING}:
                assert place == "own", said
            elif code == HashMismatch.code or not code:
                assert place == "gone", said

    def check_bytes(self, ref: ModelRef) -> None:
        """Of the model's last pull."""
        last, _ = self.world.read(ref)
        assert last is not None
        if last.state is InstallState.INSTALLED and last.error is None:
            assert ref in self.world.volume
            assert not self.world.drafts(ref)


@pytest.mark.parametrize("examples", [100, pytest.param(5000, marks=pytest.mark.slow)])
def test_any_order_of_events_keeps_the_promises_of_a_pull(examples: int) -> None:
    run_state_machine_as_test(
        PullMachine,
        settings=settings(max_examples=examples, stateful_step_count=50, deadline=None),
    )
