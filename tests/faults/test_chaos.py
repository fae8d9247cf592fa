"""Downloader, API and bus killed at random during live pulls, and started again at once."""

import random
import time

import pytest

from sirene_shared.names import ModelRef
from tests.faults.chaos import MIB, Chaos
from tests.faults.invariants import Files
from tests.faults.rig import FaultRig
from tests.support.nats import NatsServer

MODELS: dict[ModelRef, Files] = {
    ModelRef("voice", variant): {
        "config.json": random.Random(f"{variant} 1").randbytes(3000),
        "model.onnx": random.Random(f"{variant} 2").randbytes(8 * MIB),
        "voices/one.bin": random.Random(f"{variant} 3").randbytes(MIB),
    }
    for variant in ("one", "two")
}
# Of each connection: what is on its way when a process dies is little, as on a real line.
RATE_BYTES_S = 8 * MIB
MOST = 1.3
SEED = 20_261_125


@pytest.mark.parametrize(
    "kills",
    [12, *(pytest.param(count, marks=pytest.mark.slow) for count in (100, 500))],
)
async def test_services_killed_at_random_lose_nothing_and_fetch_little_twice(
    rig_on_own_bus: FaultRig, own_nats_server: NatsServer, kills: int
) -> None:
    rig = rig_on_own_bus
    rig.hub.rate_bytes_s = RATE_BYTES_S
    for ref, files in MODELS.items():
        rig.publish(dict(files), ref=ref)
    volume = rig.volume(MODELS)
    chaos = Chaos(rig, own_nats_server, MODELS, SEED + kills)
    began = time.monotonic()
    try:
        async with volume.watched():
            await chaos.start()
            for _ in range(kills):
                await chaos.kill()
            await chaos.finish()
    finally:
        await chaos.abandon()
    ratio = chaos.sent_bytes / chaos.file_bytes
    print(
        f"{dict(chaos.kills)}, {chaos.installs.total()} installs, {ratio:.3f} times the bytes,"
        f" {time.monotonic() - began:.0f} s, {volume.looks} looks"
    )
    volume.check_installed(*MODELS)
    volume.check_no_orphans()
    assert not chaos.failures
    assert ratio <= MOST
