"""Graphs kept from load to load: the same voice, and no trust in what lies there."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from sirene_shared.names import ModelRef
from tests.integration.inference.conftest import Start
from tests.support import piper_voice
from tests.support.inference import Inference
from tests.support.models_volume import ModelsVolume

SENTENCE = "A fine day for a walk."


def kept(volume: ModelsVolume) -> list[Path]:
    return sorted((volume.root.parent / "cache").glob("*.kept"))


def add_quiet_piper(volume: ModelsVolume) -> ModelRef:
    """A voice without noise, which says the same in the same way."""
    graph = piper_voice.build(volume.root.parent / "quiet.onnx")
    config = Path(f"{graph}.json")
    content = json.loads(config.read_text())
    content["inference"] |= {"noise_scale": 0.0, "noise_w": 0.0}
    config.write_text(json.dumps(content))
    return volume.add_piper_files("quiet", graph)


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.int32)


async def test_a_kept_graph_speaks_as_the_published_one_and_is_made_again_when_damaged(
    start: Start, volume: ModelsVolume, inference: Inference
) -> None:
    piper, kokoro = add_quiet_piper(volume), volume.add_kokoro("tiny")
    process = start(SIRENE_REPLICA_ID="keeps-nothing", INFERENCE_CACHE_SIZE="0")
    await inference.ready(process)
    plain = [await inference.speak(ref, SENTENCE) for ref in (piper, kokoro)]
    assert kept(volume) == []
    process.end()

    process = start()
    await inference.ready(process)
    for attempt in range(4):
        spoken = [await inference.speak(ref, SENTENCE) for ref in (piper, kokoro)]
        for (heard, rate), (expected, expected_rate) in zip(spoken, plain, strict=True):
            assert rate == expected_rate
            assert len(heard) == len(expected)
            # Kokoro's graph draws a little noise; the quiet Piper voice has none.
            assert np.corrcoef(samples(heard), samples(expected))[0, 1] > 0.95
        assert samples(spoken[0][0]) == pytest.approx(samples(plain[0][0]), abs=4)  # of 32768
        entries = kept(volume)
        assert len(entries) == (2 if attempt else 0)  # the second load makes them
        digests = [hashlib.sha256(entry.read_bytes()).digest() for entry in entries]
        if attempt == 1:
            whole = digests
        if attempt:
            assert digests == whole
            assert not list((volume.root.parent / "cache").glob("*.unfinished"))
        for ref in (piper, kokoro):
            await inference.unload(ref)
        for entry in entries:  # the next round loads from half a graph, were it not looked at
            entry.write_bytes(entry.read_bytes()[: entry.stat().st_size // 2])
