"""Speech at another speed, at its own pitch."""

import numpy as np
import pytest

from sirene_inference.tempo import Tempo

RATE = 24_000


def hum(length_s: float, hz: float = 200.0) -> np.ndarray:
    at = np.arange(int(length_s * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * hz * at)).astype(np.float32)


def stretched(audio: np.ndarray, speed: float, piece: int) -> np.ndarray:
    tempo = Tempo(RATE, speed)
    parts = [tempo.stretch(part) for part in np.split(audio, range(piece, len(audio), piece))]
    return np.concatenate([*parts, tempo.flush()])


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.8, 1.3, 2.0, 4.0])
def test_the_length_changes_and_the_pitch_stays(speed: float) -> None:
    made = stretched(hum(2.0), speed, piece=1920)
    assert made.dtype == np.float32
    assert len(made) / RATE == pytest.approx(2.0 / speed, abs=0.03)
    spectrum = np.abs(np.fft.rfft(made))
    assert spectrum.argmax() * RATE / len(made) == pytest.approx(200, abs=4)
    # No clicks and no holes where the pieces meet.
    inside = made[2000:-2000]
    assert np.abs(np.diff(inside)).max() < 0.06
    loudness = np.sqrt(np.convolve(inside**2, np.ones(480) / 480, "valid"))
    assert 0.3 < loudness.min() <= loudness.max() < 0.4


def test_pieces_make_the_same_sound_as_the_whole() -> None:
    audio = hum(1.0) + 0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    whole = stretched(audio, 1.5, piece=RATE)
    for piece in (1, 100, 1920, 7777):
        assert np.array_equal(stretched(audio, 1.5, piece), whole)


def test_at_its_own_speed_nothing_is_touched() -> None:
    audio = hum(0.5)
    assert np.array_equal(stretched(audio, 1.0, piece=1000), audio)


def test_a_sound_shorter_than_a_piece_is_not_lost() -> None:
    assert len(stretched(hum(0.005), 0.5, piece=120)) == pytest.approx(240, abs=2)
