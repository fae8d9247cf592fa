"""A model's draft in one pair of hands, and free for the next at once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from sirene_downloader import entries
from sirene_downloader.backlog import Backlog
from sirene_downloader.custody import Custody
from sirene_downloader.equipment import equip
from sirene_downloader.states import States
from sirene_downloader.transfer.throttle import Throttle
from sirene_shared import bus
from sirene_shared.errors import ModelInUse
from sirene_shared.manifest import load_catalogue
from sirene_shared.messages import Lease
from sirene_shared.subjects import LEASES
from tests.integration.downloader.rig import QUICK, REF, Rig


@pytest.fixture
async def custody(rig: Rig) -> AsyncIterator[Custody]:
    rig.publish({"model.onnx": b"m"})
    async with AsyncExitStack() as stack:
        catalogue = load_catalogue(rig.manifests)
        workshop = equip(rig.settings(), catalogue, QUICK, Throttle(), "test", stack).workshop
        yield Custody(rig.js, Backlog(rig.js, States(rig.js)), workshop)
        workshop.staging.close()


async def test_only_one_has_it(custody: Custody) -> None:
    async with custody.of(REF):
        with pytest.raises(ModelInUse, match="somebody else"):
            async with custody.of(REF):
                pass
    async with custody.of(REF):
        pass


async def test_it_is_free_at_once_also_when_the_answer_to_a_renewal_was_lost(
    rig: Rig, custody: Custody
) -> None:
    async with custody.of(REF):
        held = await entries.read(rig.js, LEASES, REF.key)
        assert held.value is not None
        renewed = Lease.decode(held.value)
        await bus.put(rig.js, LEASES, REF.key, renewed, ttl_s=LEASES.ttl_s, last=held.revision)
    async with custody.of(REF):
        pass


async def test_what_was_laid_into_it_is_there_for_the_next(custody: Custody) -> None:
    async with custody.of(REF) as (_, draft):
        (draft.tree / "model.onnx").write_bytes(b"m")
    async with custody.of(REF) as (_, draft):
        assert (draft.tree / "model.onnx").read_bytes() == b"m"


async def test_a_pull_that_waits_comes_first(rig: Rig, custody: Custody) -> None:
    await rig.pull()
    with pytest.raises(ModelInUse, match="a pull"):
        async with custody.of(REF):
            pass
