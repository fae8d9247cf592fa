"""Samples into frames."""

import numpy as np
import pytest

from sirene_inference.pcm import PcmEncoder

SINE = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)


def test_frames_are_no_larger_than_they_may_be_and_nothing_is_lost() -> None:
    encoder = PcmEncoder(22050, None, 1001)
    frames = [*encoder.encode(SINE), *encoder.flush()]
    assert encoder.sample_rate == 22050
    assert {len(frame) for frame in frames[:-1]} == {1000}
    samples = np.frombuffer(b"".join(frames), "<i2")
    assert np.abs(samples / 32767 - SINE).max() < 1e-4


def test_what_is_too_loud_is_clipped_and_nothing_else_is_changed() -> None:
    (frame,) = PcmEncoder(8000, None, 100).encode(np.array([-3, -1, 0, 0.5, 1, 3], np.float32))
    assert np.frombuffer(frame, "<i2").tolist() == [-32767, -32767, 0, 16384, 32767, 32767]


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_pieces_are_resampled_as_one_stream(rate: int) -> None:
    encoder = PcmEncoder(22050, rate, 32768)
    frames = [frame for piece in np.split(SINE, 7) for frame in encoder.encode(piece)]
    samples = np.frombuffer(b"".join([*frames, *encoder.flush()]), "<i2") / 32767
    assert len(samples) == pytest.approx(rate, abs=2)
    expected = np.sin(2 * np.pi * 440 * np.arange(len(samples)) / rate)
    middle = slice(rate // 20, -rate // 20)
    assert np.abs(samples - expected)[middle].max() < 1e-3
