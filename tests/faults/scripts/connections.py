"""Connections that break, stall, crawl or speak another language."""

import random

from tests.faults.scripts.script import LARGE, MIB, Script, Stage
from tests.support.hub import Fault, Storm

LATE = 30 * MIB + 5


def _refuse_connections(stage: Stage) -> None:
    stage.hub.resets_on_accept = 2


def _drop(chance: random.Random, asked: range) -> Fault:
    return Fault(drop_at=chance.randrange(asked.start, asked.stop))


def _stall(chance: random.Random, asked: range) -> Fault:
    return Fault(stall_at=chance.randrange(asked.start, asked.stop))


def _unavailable(chance: random.Random, asked: range) -> Fault:
    return Fault(status=chance.choice((500, 502, 503, 504, 429)), headers={"Retry-After": "0"})


def _reset(chance: random.Random, asked: range) -> Fault:
    return Fault(reset=True)


def _storm(seed: int) -> Script:
    makers = (_drop, _drop, _stall, _unavailable, _reset)
    return Script(
        name=f"storm {seed}",
        what="of its first requests most drop, stall, are refused or reset, by chance",
        arrange=lambda stage: stage.fault(Storm(seed, makers, share=0.8, times=8)),
        size=LARGE,
        breaks=8,
        attempts=12,
    )


SCRIPTS = (
    Script(
        name="nothing wrong",
        what="a hub as it should be",
        arrange=lambda stage: None,
        size=LARGE,
    ),
    Script(
        name="dropped once",
        what="the connection breaks late in the file",
        arrange=lambda stage: stage.fault(Fault(drop_at=LATE, times=1)),
        size=LARGE,
        breaks=1,
    ),
    Script(
        name="dropped at six places",
        what="the connection breaks at each of six bytes, once",
        arrange=lambda stage: stage.fault(
            *(Fault(drop_at=(5 * step + 3) * MIB, times=1) for step in range(6))
        ),
        size=LARGE,
        breaks=6,
    ),
    Script(
        name="dropped at the first byte",
        what="the head of the answer comes, and no byte of the body",
        arrange=lambda stage: stage.fault(Fault(drop_at=0, times=2)),
        breaks=2,
    ),
    Script(
        name="dropped before the last byte",
        what="all but the last byte comes",
        arrange=lambda stage: stage.fault(Fault(drop_at=stage.size - 1, times=1)),
        breaks=1,
    ),
    Script(
        name="dropped for ever",
        what="the connection breaks at the same byte, each time",
        arrange=lambda stage: stage.fault(Fault(drop_at=100_000)),
        outcome="hub_unavailable",
        breaks=2,
    ),
    Script(
        name="reset twice",
        what="the connection is reset as soon as the request is in",
        arrange=lambda stage: stage.fault(Fault(reset=True, times=2)),
        breaks=2,
    ),
    Script(
        name="reset for ever",
        what="every request for the file is reset",
        arrange=lambda stage: stage.fault(Fault(reset=True, heads=True)),
        outcome="hub_unavailable",
    ),
    Script(
        name="reset on accept",
        what="the first two connections are reset before anything is asked",
        arrange=_refuse_connections,
        breaks=2,
    ),
    Script(
        name="silent once",
        what="a request is taken and not answered",
        arrange=lambda stage: stage.fault(Fault(silent=True, times=1)),
        breaks=1,
    ),
    Script(
        name="silent for ever",
        what="no request for the file is answered",
        arrange=lambda stage: stage.fault(Fault(silent=True)),
        outcome="hub_unavailable",
    ),
    Script(
        name="stalled once",
        what="the body stops late in the file, the connection stays",
        arrange=lambda stage: stage.fault(Fault(stall_at=LATE, times=1)),
        size=LARGE,
        breaks=1,
    ),
    Script(
        name="stalled for ever",
        what="the body stops at the same byte, each time",
        arrange=lambda stage: stage.fault(Fault(stall_at=100_000)),
        outcome="hub_unavailable",
        breaks=2,
    ),
    Script(
        name="slow but steady",
        what="10 KB/s, without a pause: never cut",
        arrange=lambda stage: stage.fault(Fault(rate_bytes_s=10_000)),
        size=30_000,
    ),
    Script(
        name="byte by byte",
        what="every byte comes in a chunk of its own",
        arrange=lambda stage: stage.fault(Fault(chunked=True, chunk_bytes=1)),
        size=20_000,
    ),
    Script(
        name="garbage once",
        what="what comes is not HTTP",
        arrange=lambda stage: stage.fault(Fault(raw=b"\x16\x03\x01\x00\xff" * 40, times=1)),
        breaks=1,
    ),
    Script(
        name="garbage for ever",
        what="what comes is never HTTP",
        arrange=lambda stage: stage.fault(Fault(raw=b"\x16\x03\x01\x00\xff" * 40)),
        outcome="hub_unavailable",
    ),
    Script(
        name="closed without a word",
        what="the connection is closed instead of an answer",
        arrange=lambda stage: stage.fault(Fault(raw=b"")),
        outcome="hub_unavailable",
    ),
    Script(
        name="flood of headers",
        what="the head of the answer has 16 MiB",
        arrange=lambda stage: stage.fault(
            Fault(raw=b"HTTP/1.1 200 OK\r\n" + (b"X-Flood: " + b"x" * 1013 + b"\r\n") * 16384)
        ),
        outcome="hub_unavailable",
    ),
    *(_storm(seed) for seed in (5, 16, 38)),
)
