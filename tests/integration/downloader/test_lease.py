"""The lease and what hangs on it: who may go on when it ran out, and who is heard."""

from functools import partial

import pytest
from nats.js import JetStreamContext

from sirene_downloader.backlog import Backlog
from sirene_downloader.claim import Claim
from sirene_downloader.job import Job
from sirene_downloader.lease import LASTS_S, Lease, Sightings
from sirene_downloader.staging import Staging
from sirene_downloader.statements import Statements
from sirene_downloader.states import StateRefused, States
from sirene_downloader.tenure import Tenure
from sirene_shared import bus
from sirene_shared.errors import LeaseLost
from sirene_shared.messages import InstallState, ModelStatus
from sirene_shared.messages import Lease as Holding
from sirene_shared.subjects import BUCKETS, COMMANDS, LEASES, MODELS
from tests.integration.downloader.rig import REF, Rig


def state(
    state: InstallState = InstallState.DOWNLOADING, *, job: str = "job-1", seq: int = 1
) -> ModelStatus:
    return ModelStatus(model=REF.model, variant=REF.variant, state=state, job=job, seq=seq)


class Worker:
    """What a run of job-1 holds: its lease, its draft, and its word."""

    def __init__(self, rig: Rig, name: str = "worker") -> None:
        self.states = States(rig.js)
        self.backlog = Backlog(rig.js, self.states)
        self.staging = Staging(rig.store.staging, name)
        self._rig = rig

    async def begin(self) -> "Worker":
        waiting = await self.backlog.pull(REF)
        assert waiting is not None
        self.job = Job(waiting.command, Claim(self.backlog, waiting))
        tenure = Tenure(self.job, self.backlog, self.states, self.staging)
        self.lease = Lease(self._rig.js, REF, self.staging.writer, may_go_on=tenure.goes_on)
        assert await self.lease.take()
        self.staging.draft(REF)
        _, revision = await self.states.read(REF)
        self.says = Statements(self.states, self.lease, revision)
        assert await self.says.put(state())
        return self


@pytest.fixture
async def worker(rig: Rig) -> Worker:
    await rig.pull()
    return await Worker(rig).begin()


async def runs_out(js: JetStreamContext) -> None:
    await js.purge_stream(f"KV_{LEASES.name}", subject=f"$KV.{LEASES.name}.{REF.key}")


async def test_a_lease_that_ran_out_and_that_nobody_had_is_taken_again(
    rig: Rig, worker: Worker
) -> None:
    await runs_out(rig.js)
    await worker.lease.confirm()
    assert not await Lease(rig.js, REF, "another").take()


async def test_one_whose_draft_was_taken_away_has_lost_its_lease_though_it_is_free(
    rig: Rig, worker: Worker
) -> None:
    await runs_out(rig.js)
    heir = Staging(rig.store.staging, "heir")
    heir.open()
    heir.fence(REF)
    with pytest.raises(LeaseLost):
        await worker.lease.confirm()
    assert await Lease(rig.js, REF, "another").take()
    with pytest.raises(LeaseLost):
        await worker.lease.renew()


async def test_one_whose_command_is_gone_has_lost_its_lease(rig: Rig, worker: Worker) -> None:
    await worker.backlog.drop(worker.job.claim.waiting)
    await runs_out(rig.js)
    with pytest.raises(LeaseLost):
        await worker.lease.confirm()


@pytest.mark.parametrize(
    "said",
    [
        state(InstallState.ABSENT, job="delete-1"),
        state(InstallState.QUEUED, job="job-2"),
        state(InstallState.FAILED, seq=9),
    ],
    ids=["deleted", "another job", "its own end"],
)
async def test_one_whose_model_has_another_state_has_lost_its_lease(
    rig: Rig, worker: Worker, said: ModelStatus
) -> None:
    await runs_out(rig.js)
    _, revision = await worker.states.read(REF)
    await worker.states.put(said, last=revision)
    with pytest.raises(LeaseLost):
        await worker.lease.confirm()
    assert not await worker.says.put(state(seq=10))
    assert (await worker.states.read(REF))[0].state is said.state  # type: ignore[union-attr]


async def test_a_command_that_was_lost_with_the_store_is_queued_again(
    rig: Rig, worker: Worker
) -> None:
    for stream in (COMMANDS, *(f"KV_{bucket.name}" for bucket in BUCKETS)):
        await rig.js.delete_stream(stream)
    await bus.bootstrap_when_ready(rig.nc)
    await worker.lease.confirm()
    waiting = await worker.backlog.pull(REF)
    assert waiting is not None
    assert waiting.command == worker.job.command
    await worker.job.claim.done()
    assert await worker.backlog.pull(REF) is None


async def test_a_lease_that_nobody_renews_is_over_though_the_server_keeps_it(rig: Rig) -> None:
    """As it does when its clock was set back."""
    await bus.put(rig.js, LEASES, REF.key, Holding(holder="dead"))
    now = 1000.0
    take = partial(Lease, rig.js, REF, "heir", sightings=Sightings(lambda: now))
    assert not await take().take()
    now += LASTS_S
    assert not await take().take()
    now += 1
    assert await take().take()


async def test_a_lease_that_is_renewed_is_never_over(rig: Rig) -> None:
    other = Lease(rig.js, REF, "other")
    assert await other.take()
    now = 1000.0
    take = partial(Lease, rig.js, REF, "heir", sightings=Sightings(lambda: now))
    for _ in range(4):
        assert not await take().take()
        now += LASTS_S - 1
        await other.renew()


async def test_who_still_has_the_lease_speaks_over_what_others_said_of_the_queue(
    worker: Worker,
) -> None:
    _, revision = await worker.states.read(REF)
    await worker.states.put(state(InstallState.QUEUED, seq=7), last=revision)
    assert await worker.says.put(state(seq=2))
    status, _ = await worker.states.read(REF)
    assert status is not None
    assert (status.state, status.seq) == (InstallState.DOWNLOADING, 8)


async def test_a_word_whose_answer_was_lost_is_not_said_twice(worker: Worker) -> None:
    ended = state(InstallState.FAILED, seq=5)
    _, revision = await worker.states.read(REF)
    await worker.states.put(ended, last=revision)  # as if by us, and we never heard of it
    _, revision = await worker.states.read(REF)
    assert await worker.says.put_surely(ended)
    assert (await worker.states.read(REF))[1] == revision


async def test_a_bucket_that_takes_nothing_is_not_asked_for_ever(rig: Rig, worker: Worker) -> None:
    info = await rig.js.stream_info(f"KV_{MODELS.name}")
    info.config.sealed = True
    await rig.js.update_stream(info.config)
    assert not await worker.says.put(state(seq=2))
    with pytest.raises(StateRefused):
        await worker.says.put_surely(state(seq=3))
