"""The silence around a piece of speech."""

import numpy as np
import pytest

from sirene_inference.silence import trimmed

RATE = 1000
SOUND = np.sin(np.arange(500) * 0.7).astype(np.float32)


def around(before: int, after: int, noise: float = 0.0) -> np.ndarray:
    silence = np.random.default_rng(1).normal(0, noise, before + after).astype(np.float32)
    return np.concatenate([silence[:before], SOUND, silence[before:]])


@pytest.mark.parametrize("noise", [0.0, 0.0005])
def test_long_silence_is_cut_to_what_was_asked(noise: float) -> None:
    kept = trimmed(around(300, 400, noise), RATE, before_s=0.05, after_s=0.1)
    assert len(kept) == 50 + 500 + 100
    assert np.array_equal(kept[50:550], SOUND)


def test_short_silence_stays_as_it_is() -> None:
    audio = around(20, 30)
    assert np.array_equal(trimmed(audio, RATE, before_s=0.05, after_s=0.1), audio)


def test_sound_up_to_the_last_sample_is_kept() -> None:
    audio = np.concatenate([SOUND, SOUND[:7]])
    assert np.array_equal(trimmed(audio, RATE, before_s=0, after_s=0), audio)


@pytest.mark.parametrize("length", [0, 1, 15, 1000])
def test_what_is_silent_or_very_short_stays_as_it_is(length: int) -> None:
    audio = np.zeros(length, np.float32)
    assert len(trimmed(audio, RATE, before_s=0, after_s=0)) == length
