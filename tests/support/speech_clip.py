"""A clip that stands for somebody's speech: a hum with some hiss, the same on every machine."""

import io

import numpy as np
import soundfile

TRANSCRIPT = "This is the reference."


def samples(length_s: float = 1.1, rate_hz: int = 24_000, pitch_hz: float = 150.0) -> np.ndarray:
    at = np.arange(int(length_s * rate_hz)) / rate_hz
    hiss = 0.02 * np.random.default_rng(0).standard_normal(len(at))
    hum = 0.3 * np.sin(2 * np.pi * pitch_hz * at) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at))
    return (hum + hiss).astype(np.float32)


def wav(
    length_s: float = 1.1, rate_hz: int = 24_000, *, channels: int = 1, kind: str = "WAV",
    pitch_hz: float = 150.0, loudness: float = 1.0,
) -> bytes:  # fmt: skip
    """A file of `kind`, one of soundfile's formats."""
    file = io.BytesIO()
    sound = np.repeat(loudness * samples(length_s, rate_hz, pitch_hz)[:, None], channels, axis=1)
    soundfile.write(file, sound, rate_hz, format=kind)
    return file.getvalue()
