"""The decisions of the cache, by examples and against a plain model under random events."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sirene_inference.residents import Evict, Load, Resident, Residents
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef

A, B, C, D = (ModelRef("model", letter) for letter in "abcd")


def loaded(residents: Residents, ref: ModelRef, now: float) -> Resident:
    residents.want(ref)
    step = residents.next_step(now)
    assert isinstance(step, Load)
    assert step.resident.ref == ref
    residents.loaded(step.resident, now)
    return step.resident


def test_the_least_recently_used_idle_model_leaves() -> None:
    residents = Residents(capacity=2)
    first, second = loaded(residents, A, 1.0), loaded(residents, B, 2.0)
    residents.take(A, 3.0)
    residents.release(first, 4.0)
    residents.want(C)
    assert residents.next_step(5.0) == Evict(second)
    assert residents.next_step(5.0) is None
    residents.gone(second)
    step = residents.next_step(6.0)
    assert isinstance(step, Load)
    assert step.resident.ref == C


def test_a_model_in_use_is_never_evicted() -> None:
    residents = Residents(capacity=1)
    used = loaded(residents, A, 1.0)
    residents.take(A, 2.0)
    residents.want(B)
    assert residents.next_step(9.0) is None
    residents.release(used, 10.0)
    assert residents.next_step(10.0) == Evict(used)


def test_loading_counts_against_the_limit() -> None:
    residents = Residents(capacity=2)
    for ref in (A, B, C):
        residents.want(ref)
    assert isinstance(residents.next_step(1.0), Load)
    assert isinstance(residents.next_step(1.0), Load)
    assert residents.next_step(1.0) is None


def test_a_model_that_leaves_takes_nobody_in_and_is_loaded_anew() -> None:
    residents = Residents(capacity=2)
    old = loaded(residents, A, 1.0)
    residents.take(A, 1.0)
    residents.leave(old)
    assert residents.take(A, 2.0) is None
    residents.want(A)
    assert residents.next_step(2.0) is None
    residents.release(old, 3.0)
    residents.gone(old)
    step = residents.next_step(3.0)
    assert isinstance(step, Load)
    assert step.resident is not old


def test_room_goes_to_whom_waits_longest() -> None:
    residents = Residents(capacity=1)
    only = loaded(residents, A, 1.0)
    residents.take(A, 1.0)
    residents.want(B)
    residents.want(C)
    residents.forget(B)
    residents.want(B)
    residents.release(only, 2.0)
    assert residents.next_step(2.0) == Evict(only)
    residents.gone(only)
    step = residents.next_step(2.0)
    assert isinstance(step, Load)
    assert step.resident.ref == C


def test_a_model_that_was_loaded_for_somebody_stays_for_a_moment() -> None:
    residents = Residents(capacity=1)
    only = loaded(residents, A, 1.0)
    residents.reserve(only, until=3.0)
    residents.want(B)
    assert residents.next_step(2.9) is None
    assert residents.next_reservation_end(2.9) == 3.0
    assert residents.next_step(3.0) == Evict(only)


def test_a_use_ends_the_reservation() -> None:
    residents = Residents(capacity=1)
    only = loaded(residents, A, 1.0)
    residents.reserve(only, until=30.0)
    residents.take(A, 2.0)
    residents.release(only, 2.5)
    residents.want(B)
    assert residents.next_step(2.5) == Evict(only)


REFS = st.sampled_from([A, B, C, D])


class CacheMachine(RuleBasedStateMachine):
    """Random events in any order; the model is a dict of states and a count of users."""

    @initialize(capacity=st.integers(1, 3))
    def begin(self, capacity: int) -> None:
        self.residents = Residents(capacity)
        self.capacity = capacity
        self.now = 0.0
        self.users: dict[Resident, int] = {}
        self.states: dict[ModelRef, tuple[Resident, LoadedState]] = {}
        self.wanted: list[ModelRef] = []

    def tick(self) -> float:
        self.now += 1.0
        return self.now

    def of_state(self, state: LoadedState) -> list[Resident]:
        return [resident for resident, found in self.states.values() if found is state]

    @rule(ref=REFS)
    def somebody_asks(self, ref: ModelRef) -> None:
        taken = self.residents.take(ref, self.tick())
        resident, state = self.states.get(ref, (None, None))
        if state is LoadedState.LOADED:
            assert taken is resident
            assert resident is not None
            self.users[resident] += 1
            return
        assert taken is None
        self.residents.want(ref)
        if state is not LoadedState.LOADING and ref not in self.wanted:
            self.wanted.append(ref)

    @precondition(lambda self: any(self.users.values()))
    @rule(data=st.data())
    def somebody_ends(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from([r for r, count in self.users.items() if count]))
        self.residents.release(resident, self.tick())
        self.users[resident] -= 1

    @precondition(lambda self: self.wanted)
    @rule(data=st.data())
    def nobody_waits_any_more(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from(self.wanted))
        self.residents.forget(ref)
        self.wanted.remove(ref)

    @rule()
    def the_cache_acts(self) -> None:
        while step := self.residents.next_step(self.tick()):
            resident = step.resident
            if isinstance(step, Load):
                assert resident.ref not in self.states
                assert resident.ref == next(ref for ref in self.wanted if ref not in self.states)
                self.wanted.remove(resident.ref)
                self.states[resident.ref] = (resident, LoadedState.LOADING)
                self.users[resident] = 0
                continue
            assert self.users[resident] == 0
            idle = [each for each in self.of_state(LoadedState.LOADED) if not self.users[each]]
            assert resident.last_used == min(each.last_used for each in idle)
            assert len(self.states) == self.capacity, "evicted although there was room"
            leaving = self.of_state(LoadedState.UNLOADING)
            assert len(leaving) < len(self.wanted), "evicted more than are waited for"
            self.states[resident.ref] = (resident, LoadedState.UNLOADING)
        if self.wanted and len(self.states) == self.capacity:
            idle = [each for each in self.of_state(LoadedState.LOADED) if not self.users[each]]
            leaving = self.of_state(LoadedState.UNLOADING)
            assert not idle or len(leaving) >= min(len(self.wanted), self.capacity)

    @precondition(lambda self: self.of_state(LoadedState.LOADING))
    @rule(data=st.data(), succeeds=st.booleans())
    def a_load_ends(self, data: st.DataObject, succeeds: bool) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADING)))
        if succeeds:
            self.residents.loaded(resident, self.tick())
            self.states[resident.ref] = (resident, LoadedState.LOADED)
        else:
            self.residents.gone(resident)
            del self.states[resident.ref]

    @precondition(lambda self: self.of_state(LoadedState.LOADED))
    @rule(data=st.data())
    def somebody_unloads(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADED)))
        self.residents.leave(resident)
        self.states[resident.ref] = (resident, LoadedState.UNLOADING)

    @precondition(lambda self: any(not self.users[r] for r in self.of_state(LoadedState.UNLOADING)))
    @rule(data=st.data())
    def an_unload_ends(self, data: st.DataObject) -> None:
        leaving = [each for each in self.of_state(LoadedState.UNLOADING) if not self.users[each]]
        resident = data.draw(st.sampled_from(leaving))
        self.residents.gone(resident)
        del self.states[resident.ref]

    @precondition(lambda self: self.of_state(LoadedState.LOADED))
    @rule(data=st.data())
    def a_runner_crashes(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADED)))
        self.residents.gone(resident)
        self.residents.gone(resident)  # its unloading may report it too
        del self.states[resident.ref]

    @invariant()
    def the_two_agree(self) -> None:
        found = {each.ref: (each, each.state) for each in self.residents.all()}
        assert found == self.states
        assert len(found) <= self.capacity
        assert all(each.users == self.users[each] for each in self.residents.all())


CacheMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_any_order_of_events_keeps_the_promises = CacheMachine.TestCase
