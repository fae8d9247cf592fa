"""Random events for the cache's decisions, beside a model so plain that it is right by reading it.

The model keeps dicts and counts; it does not decide. It checks each decision against what has to
hold, and when the cache says that there is nothing to do, that there is indeed nothing.
"""

import math
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sirene_inference.cooling import LONGEST_S, Cooling
from sirene_inference.resident import Evict, Load, Refuse, Resident
from sirene_inference.residents import Residents
from sirene_inference.room import Bounds, Size
from sirene_shared.errors import LoadFailed, ModelsBusy, ModelTooLarge, NoReplica
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef

REFS = [ModelRef("model", letter) for letter in "abcdef"]
CPU, CUDA = "cpu", "cuda"
LIMITS = {CPU: 8, CUDA: 5}
BYTES = st.sampled_from([2, 1, 3, 2, 1, 4, 0, 5, 7, 9])
KEEP_ALIVES = st.sampled_from([None, math.inf, 20.0, 5.0, 0.0])
COOL_S = 2.0


@dataclass(eq=False)
class Plain:
    """What is known of one resident."""

    ref: ModelRef
    device: str
    bytes: int
    since: int
    state: LoadedState = LoadedState.LOADING
    users: int = 0
    used: float = 0.0
    reserved: float = 0.0
    keep: float = 20.0


class ResidentsMachine(RuleBasedStateMachine):
    @initialize(
        capacity=st.integers(1, 4),
        sizes=st.tuples(*(st.tuples(st.sampled_from([CPU, CPU, CUDA]), BYTES) for _ in REFS)),
    )
    def begin(self, capacity: int, sizes: tuple[tuple[str, int], ...]) -> None:
        self.sizes = {ref: Size(*size) for ref, size in zip(REFS, sizes, strict=True)}
        self.capacity = capacity
        self.residents = Residents(
            Bounds(capacity, LIMITS),
            size_of=self.sizes.__getitem__,
            keep_alive_s=20.0,
            cooling=Cooling(COOL_S),
        )
        self.now = 0.0
        self.held: dict[Resident, Plain] = {}
        self.gone: dict[Resident, Plain] = {}
        self.wanted: list[ModelRef] = []
        self.pins: set[ModelRef] = set()
        self.retried: set[ModelRef] = set()
        self.cooling: dict[ModelRef, tuple[float, float]] = {}  # until when, after how long a wait

    # ── The plain model ─────────────────────────────────────────────────────────────────────────

    def tick(self) -> float:
        self.now += 0.01
        return self.now

    def of_state(self, state: LoadedState) -> list[Resident]:
        return [resident for resident, plain in self.held.items() if plain.state is state]

    def find(self, ref: ModelRef) -> Resident | None:
        return next((resident for resident, plain in self.held.items() if plain.ref == ref), None)

    def evictable(self) -> list[Plain]:
        """May leave for another one."""
        return [
            plain
            for plain in self.held.values()
            if plain.state is LoadedState.LOADED
            and plain.users == 0
            and plain.ref not in self.pins
            and plain.reserved <= self.now
        ]

    def staying(self) -> list[Plain]:
        return [each for each in self.held.values() if each.state is not LoadedState.UNLOADING]

    def beside(self, device: str) -> list[Plain]:
        leaving = [each for each in self.held.values() if each.state is LoadedState.UNLOADING]
        return [each for each in [*self.evictable(), *leaving] if each.device == device]

    def fits(self, ref: ModelRef, among: list[Plain], *others: ModelRef) -> bool:
        """The model fits together with `among`, and with `others` that are to be loaded."""
        device, count = self.sizes[ref]
        taken = [each.bytes for each in among if each.device == device]
        taken += [self.sizes[each].bytes for each in others if self.sizes[each].device == device]
        if len(among) + len(others) >= self.capacity:
            return False
        return sum(taken) + count <= LIMITS[device]

    def is_over(self, device: str, among: list[Plain]) -> bool:
        return sum(each.bytes for each in among if each.device == device) > LIMITS[device]

    def expired(self, plain: Plain) -> bool:
        return max(plain.reserved, plain.used + plain.keep) <= self.now

    def hopeless(self, ref: ModelRef) -> bool:
        device, count = self.sizes[ref]
        pinned = [each for each in self.held.values() if each.ref in self.pins and each.ref != ref]
        return self.is_cooling(ref) or count > LIMITS[device] or not self.fits(ref, pinned)

    def is_cooling(self, ref: ModelRef) -> bool:
        return ref in self.cooling and self.now < self.cooling[ref][0]

    # ── What happens ────────────────────────────────────────────────────────────────────────────

    @rule(seconds=st.sampled_from([0.5, 3.0, 10.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(ref=st.sampled_from(REFS), keep=KEEP_ALIVES)
    def somebody_asks(self, ref: ModelRef, keep: float | None) -> None:
        self.ask(ref, keep)

    @rule(refs=st.lists(st.sampled_from(REFS), min_size=1, max_size=4), last=st.booleans())
    def models_are_used_one_by_one(self, refs: list[ModelRef], last: bool) -> None:
        """The usual life, in one stroke, so that most orders begin with something loaded."""
        for ref in refs:
            self.ask(ref, None)
            self.act()
            for resident in self.of_state(LoadedState.UNLOADING):
                if not self.held[resident].users:
                    self.end_unload(resident)
            self.act()
            resident = self.find(ref)
            if resident and self.held[resident].state is LoadedState.LOADING:
                self.succeed(resident, self.held[resident].bytes)
                if resident in self.held:
                    self.ask(ref, None)
        for resident, plain in list(self.held.items()):
            if plain.users and (last or plain.ref != refs[-1]):
                self.end_use(resident)

    def ask(self, ref: ModelRef, keep: float | None) -> None:
        taken = self.residents.take(ref, self.tick(), keep)
        resident = self.find(ref)
        if resident and self.held[resident].state is LoadedState.LOADED:
            assert taken is resident
            plain = self.held[resident]
            plain.users, plain.used, plain.reserved = plain.users + 1, self.now, 0.0
            plain.keep = plain.keep if keep is None else keep
            return
        assert taken is None, "one that loads or leaves was given to somebody"
        self.residents.want(ref)
        is_loading = resident and self.held[resident].state is LoadedState.LOADING
        if not is_loading and ref not in self.wanted:
            self.wanted.append(ref)

    @precondition(lambda self: any(p.users for p in [*self.held.values(), *self.gone.values()]))
    @rule(data=st.data())
    def somebody_ends(self, data: st.DataObject) -> None:
        everything = self.held | self.gone
        self.end_use(
            data.draw(st.sampled_from([r for r, plain in everything.items() if plain.users]))
        )

    def end_use(self, resident: Resident) -> None:
        self.residents.release(resident, self.tick())
        plain = self.held.get(resident) or self.gone[resident]
        plain.users -= 1
        plain.used = self.now

    @precondition(lambda self: self.wanted)
    @rule(data=st.data())
    def nobody_waits_any_more(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from(self.wanted))
        self.residents.forget(ref)
        self.wanted.remove(ref)
        if self.find(ref) is None:
            self.retried.discard(ref)

    @precondition(lambda self: self.of_state(LoadedState.LOADING))
    @rule(data=st.data(), measured=st.none() | BYTES)
    def a_load_succeeds(self, data: st.DataObject, measured: int | None) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADING)))
        self.succeed(resident, self.held[resident].bytes if measured is None else measured)

    def succeed(self, resident: Resident, count: int) -> None:
        plain = self.held[resident]
        size = self.sizes[plain.ref] = Size(plain.device, count)
        self.retried.discard(plain.ref)
        if count > LIMITS[plain.device]:
            self.residents.failed(resident, self.tick(), ModelTooLarge("it is"))
            del self.held[resident]
            return
        self.residents.loaded(resident, self.tick(), size)
        plain.state, plain.bytes, plain.used = LoadedState.LOADED, count, self.now
        self.cooling.pop(plain.ref, None)

    @precondition(lambda self: self.of_state(LoadedState.LOADING))
    @rule(data=st.data())
    def a_load_fails(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADING)))
        ref = self.held.pop(resident).ref
        self.residents.failed(resident, self.tick(), LoadFailed("cut"))
        self.residents.gone(resident)  # it may be reported twice
        self.retried.discard(ref)
        until, wait_s = self.cooling.get(ref, (-math.inf, 0.0))
        wait_s = min(2 * wait_s, LONGEST_S) if self.now - until < LONGEST_S else COOL_S
        self.cooling[ref] = self.now + wait_s, wait_s

    @precondition(lambda self: self.of_state(LoadedState.LOADING))
    @rule(data=st.data())
    def memory_runs_out(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADING)))
        plain = self.held[resident]
        may_retry = plain.ref not in self.retried and bool(self.beside(plain.device))
        assert self.residents.exhausted(resident, self.tick()) is may_retry
        if may_retry:
            self.retried.add(plain.ref)
            self.wanted.insert(0, plain.ref)
        else:
            self.residents.failed(resident, self.now, NoReplica("it ends"))
            self.retried.discard(plain.ref)
        del self.held[resident]

    @precondition(lambda self: self.of_state(LoadedState.LOADED))
    @rule(data=st.data(), count=BYTES)
    def a_model_grows_or_shrinks(self, data: st.DataObject, count: int) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADED)))
        plain = self.held[resident]
        self.residents.measured(resident, Size(plain.device, count))
        plain.bytes = count

    @precondition(lambda self: self.staying())
    @rule(data=st.data())
    def somebody_pins(self, data: st.DataObject) -> None:
        ref = data.draw(st.sampled_from([plain.ref for plain in self.staying()]))
        self.residents.pin(ref)
        self.pins.add(ref)

    @rule(ref=st.sampled_from(REFS))
    def somebody_unpins(self, ref: ModelRef) -> None:
        self.residents.unpin(ref)
        self.pins.discard(ref)

    @precondition(lambda self: self.of_state(LoadedState.LOADED))
    @rule(data=st.data())
    def somebody_reserves(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADED)))
        self.residents.reserve(resident, self.now + 2.0)
        self.held[resident].reserved = self.now + 2.0

    @precondition(lambda self: self.of_state(LoadedState.LOADED))
    @rule(data=st.data())
    def somebody_unloads(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADED)))
        self.residents.unpin(resident.ref)
        self.residents.leave(resident)
        self.pins.discard(resident.ref)
        self.held[resident].state = LoadedState.UNLOADING

    @precondition(
        lambda self: any(not self.held[r].users for r in self.of_state(LoadedState.UNLOADING))
    )
    @rule(data=st.data())
    def an_unload_ends(self, data: st.DataObject) -> None:
        leaving = [r for r in self.of_state(LoadedState.UNLOADING) if not self.held[r].users]
        self.end_unload(data.draw(st.sampled_from(leaving)))

    def end_unload(self, resident: Resident) -> None:
        self.residents.gone(resident)
        del self.held[resident]

    @precondition(lambda self: self.of_state(LoadedState.LOADED))
    @rule(data=st.data())
    def a_runner_crashes(self, data: st.DataObject) -> None:
        resident = data.draw(st.sampled_from(self.of_state(LoadedState.LOADED)))
        self.residents.gone(resident)
        self.residents.gone(resident)  # its unloading may report it too
        self.gone[resident] = self.held.pop(resident)

    # ── What the cache decides ──────────────────────────────────────────────────────────────────

    @rule()
    def the_cache_acts(self) -> None:
        self.act()

    def act(self) -> None:
        self.tick()
        while step := self.residents.next_step(self.now):
            match step:
                case Load():
                    self.check_load(step.resident)
                case Evict():
                    self.check_eviction(step.resident)
                case Refuse():
                    self.check_refusal(step)
        self.check_that_nothing_is_left_to_do()

    def check_load(self, resident: Resident) -> None:
        ref = resident.ref
        assert self.find(ref) is None, "two of one model"
        assert ref == next(each for each in self.wanted if self.find(each) is None), "out of turn"
        assert not self.hopeless(ref)
        assert self.fits(ref, list(self.held.values())), "begun without room"
        assert ref not in self.retried or not self.beside(self.sizes[ref].device)
        self.wanted.remove(ref)
        self.held[resident] = Plain(ref, *self.sizes[ref], since=len(self.held), used=self.now)

    def check_eviction(self, resident: Resident) -> None:
        victim = self.held[resident]
        assert victim in self.evictable(), "in use, pinned, reserved or leaving already"
        older = [each for each in self.evictable() if each.used < victim.used]
        if self.expired(victim):
            assert not any(self.expired(each) for each in older)
        elif self.is_over(victim.device, self.staying()):
            assert not any(each.device == victim.device for each in older)
        else:
            self.check_eviction_for_room(victim, older)
        victim.state = LoadedState.UNLOADING

    def check_eviction_for_room(self, victim: Plain, older: list[Plain]) -> None:
        staying, before = self.staying(), list[ModelRef]()
        for ref in self.wanted:
            if ref in self.retried and victim.device == self.sizes[ref].device:
                assert not any(each.device == victim.device for each in older)
                return
            if not self.fits(ref, staying, *before):
                break
            before.append(ref)
        else:
            raise AssertionError("evicted although there was room")
        kept = [each for each in staying if each not in self.evictable()]
        assert self.fits(ref, kept, *before), "evicted for one that does not fit even then"
        is_full = len(staying) + len(before) >= self.capacity
        device = self.sizes[ref].device
        assert is_full or victim.device == device, "evicted without use"
        assert not any(is_full or each.device == device for each in older), "not the oldest"

    def check_refusal(self, step: Refuse) -> None:
        assert step.ref in self.wanted
        assert self.hopeless(step.ref)
        if self.is_cooling(step.ref):
            assert isinstance(step.error, LoadFailed), "not the real cause"
            assert step.error.retry_after_s
        else:
            assert isinstance(step.error, ModelTooLarge | ModelsBusy)
        self.wanted.remove(step.ref)
        if self.find(step.ref) is None:
            self.retried.discard(step.ref)

    def check_that_nothing_is_left_to_do(self) -> None:
        assert not any(self.hopeless(ref) for ref in self.wanted), "left to wait in vain"
        evictable = self.evictable()
        assert not any(self.expired(each) for each in evictable)
        for device in LIMITS:
            if self.is_over(device, self.staying()):
                assert not any(each.device == device for each in evictable)
        waiting = [ref for ref in self.wanted if self.find(ref) is None]
        if waiting and waiting[0] not in self.retried:
            assert not self.fits(waiting[0], list(self.held.values())), "it could load"
        if (
            waiting
            and waiting[0] in self.retried
            and not self.beside(self.sizes[waiting[0]].device)
        ):
            assert not self.fits(waiting[0], list(self.held.values())), "it could load again"
        if self.wanted and not self.fits(self.wanted[0], self.staying()):
            kept = [each for each in self.staying() if each not in evictable]
            assert not self.fits(self.wanted[0], kept), "room could be made"

    @invariant()
    def the_two_agree(self) -> None:
        if not hasattr(self, "residents"):
            return
        found = {each: (each.state, each.users, each.size) for each in self.residents.all()}
        assert found == {
            resident: (plain.state, plain.users, Size(plain.device, plain.bytes))
            for resident, plain in self.held.items()
        }
        assert len(found) <= self.capacity
        for resident, plain in self.held.items():
            stays = plain.users or plain.ref in self.pins or plain.state is not LoadedState.LOADED
            expected = None if stays else max(plain.reserved, plain.used + plain.keep)
            assert self.residents.expires_at(resident) == (
                None if expected == math.inf else expected
            )
        idle = [p for p in self.held.values() if p.state is LoadedState.LOADED and not p.users]
        oldest = min((p.used for p in idle if p.ref not in self.pins), default=None)
        victim = self.residents.next_victim()
        assert (self.held[victim].used if victim else None) == oldest
