"""The pull's decisions under random events: whatever happens, in any order, the promises hold."""

from collections import Counter
from itertools import pairwise, product

import pytest
from hypothesis import settings
from hypothesis.stateful import (
    invariant,
    run_state_machine_as_test,
)

from sirene_shared.errors import (
    HashMismatch,
    PullCancelled,
    SireneError,
)
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from sirene_shared.subjects import ACK_WAIT_S, MAX_DELIVERIES
from tests.unit.downloader.pull_downloaders import Downloader, last_said
from tests.unit.downloader.pull_events import KEEPING, WHOLE_RUN, PullEvents
from tests.unit.downloader.pull_runs import BEGUN_TOO_OFTEN
from tests.unit.downloader.pull_world import TOTAL, World

WORN_OUT = SireneError(BEGUN_TOO_OFTEN).failure()
# Each command needs a few looks, and a dead one's lease some seconds.
ROUNDS = 40

FEW = 100


class PullMachine(PullEvents):
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
                downloader.go_on(WHOLE_RUN)
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
        for said, place in self.world.left:
            code = said.error.code if said.error else ""
            if said.state in (InstallState.PAUSED, InstallState.QUEUED):
                assert place == ("parked" if said.reason else "own"), said
            elif code == PullCancelled.code:
                assert place == ("own" if self.keeps[said.job] else "gone"), said
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


@pytest.mark.parametrize("first", range(1, WHOLE_RUN // 2))
def test_a_pull_is_installed_once_wherever_a_run_of_it_stalls_past_its_lease(first: int) -> None:
    for others, then in product(range(1, WHOLE_RUN // 2), (1, 3, WHOLE_RUN)):
        world, died = World(), Counter[str]()
        stalled, heir = Downloader(world, "stalled", died), Downloader(world, "heir", died)
        ref = ModelRef("voice", "one")
        world.ask(ref)
        stalled.look()
        stalled.go_on(first)
        world.now += ACK_WAIT_S + 1
        heir.look()
        heir.go_on(others)
        stalled.go_on(then)
        for _ in range(ROUNDS):
            for downloader in (heir, stalled):
                downloader.look()
                downloader.go_on(WHOLE_RUN)
            world.now += 1
        ends = [word.status.state for word in world.words[ref] if word.is_end]
        assert ends == [InstallState.INSTALLED], (others, then)
        assert world.words[ref][-1].is_end
        assert not world.commands
        assert not world.drafts(ref)


@pytest.mark.parametrize("examples", [FEW, pytest.param(5000, marks=pytest.mark.slow)])
def test_any_order_of_events_keeps_the_promises_of_a_pull(examples: int) -> None:
    run_state_machine_as_test(
        PullMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            # The default run looks at the same examples each time; the slow one at new ones.
            derandomize=examples <= FEW,
        ),
    )
