"""The pauses at the ends of a piece of speech, cut to what a listener expects between pieces."""

import numpy

from sirene_inference.backends import Audio

WINDOW_S = 0.01
# Relative to the loudest window: 48 dB below it nothing of a voice is heard.
QUIET = 0.004


def trimmed(audio: Audio, sample_rate: int, *, before_s: float, after_s: float) -> Audio:
    """`audio` with at most so many seconds of silence before and after its sound."""
    width = max(1, round(WINDOW_S * sample_rate))
    windows = len(audio) // width
    if windows < 2:
        return audio
    loudness = numpy.sqrt(numpy.mean(audio[: windows * width].reshape(windows, width) ** 2, axis=1))
    heard = numpy.flatnonzero(loudness > QUIET * loudness.max())
    if not len(heard):
        return audio
    start = heard[0] * width - round(before_s * sample_rate)
    end = (heard[-1] + 1) * width + round(after_s * sample_rate)
    # What is left over behind the last whole window may sound, too.
    return audio[max(0, start) : end if heard[-1] < windows - 1 else None]
