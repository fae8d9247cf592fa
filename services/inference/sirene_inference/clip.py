"""A reference clip, as it was sent, into samples."""

import io

import numpy
import soundfile
import soxr

from sirene_inference.backends import Audio
from sirene_shared.errors import InvalidRequest

FORMATS = frozenset({"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"})
RATE_RANGE_HZ = (8_000, 192_000)
MIN_S, MAX_S = 1.0, 30.0
# Quieter is no speech: -60 dB.
SILENCE = 1e-3


def decode(body: bytes, rate_hz: int, *, max_s: float = MAX_S) -> Audio:
    """Mono samples at `rate_hz`. Raises: InvalidRequest."""
    try:
        with soundfile.SoundFile(io.BytesIO(body)) as file:
            if file.format not in FORMATS or not _is_usual(file.samplerate):
                raise _refused("is in a format that is not taken")
            # One sample more than may be: a header's own count is not believed.
            samples = file.read(int(max_s * file.samplerate) + 1, "float32", always_2d=True)
            made_hz = file.samplerate
    except soundfile.LibsndfileError as error:
        raise _refused("is no sound file, or was cut") from error
    length_s = len(samples) / made_hz
    if length_s > max_s:
        raise _refused(f"is longer than {max_s:.0f} s", "Cut it, and its transcript.")
    if length_s < MIN_S:
        raise _refused(f"is only {length_s:.1f} s long", "Three to ten seconds do well.")
    mono = samples.mean(axis=1, dtype=numpy.float32)
    if not numpy.isfinite(mono).all() or numpy.abs(mono).max() < SILENCE:
        raise _refused("holds no sound")
    resampled: Audio = soxr.resample(mono, made_hz, rate_hz)
    return resampled


def _is_usual(rate_hz: int) -> bool:
    return RATE_RANGE_HZ[0] <= rate_hz <= RATE_RANGE_HZ[1]


def _refused(what: str, hint: str = "Send WAV, FLAC, Ogg or MP3.") -> InvalidRequest:
    return InvalidRequest(f"the reference clip {what}", hint=hint, param="ref_audio")
