"""Faster or slower speech at the same pitch, for models that have no speed of their own.

Overlapping pieces of the sound are laid closer together or further apart, each taken from where it
fits best to the one before: WSOLA (Verhelst and Roelands, 1993).
"""

import numpy

from sirene_inference.backends import Audio

HOP_S, SEARCH_S = 0.02, 0.008


class Tempo:
    """One stream of sound; what leaves is up to two pieces behind what came."""

    def __init__(self, sample_rate: int, speed: float) -> None:
        self._speed = speed
        self._hop, self._search = int(HOP_S * sample_rate), int(SEARCH_S * sample_rate)
        rise = numpy.sin(numpy.linspace(0, numpy.pi / 2, self._hop, False, dtype=numpy.float32))
        self._rise: Audio = rise**2
        self._sound = numpy.zeros(0, numpy.float32)
        # Where in `sound` the next piece lies by the clock, and where the last one would go on.
        self._at, self._follows = 0.0, 0
        self._fading: Audio | None = None

    def stretch(self, audio: Audio) -> Audio:
        if self._speed == 1:
            return audio
        self._sound = numpy.concatenate((self._sound, audio))
        made = []
        while int(self._at) + self._search + 2 * self._hop <= len(self._sound):
            made.append(self._next())
        self._forget()
        return numpy.concatenate(made) if made else numpy.zeros(0, numpy.float32)

    def flush(self) -> Audio:
        """What is still to come; the stream ends."""
        if self._speed == 1:
            return numpy.zeros(0, numpy.float32)
        left = max(0, round((len(self._sound) - self._at) / self._speed))
        silence = numpy.zeros(self._search + 3 * self._hop, numpy.float32)
        return self.stretch(silence)[:left]

    def _next(self) -> Audio:
        start = self._best() if self._fading is not None else int(self._at)
        piece = self._sound[start : start + 2 * self._hop]
        first, second = piece[: self._hop], piece[self._hop :]
        made = first if self._fading is None else first * self._rise + self._fading
        self._fading = second * (1 - self._rise)
        self._follows = start + self._hop
        self._at += self._hop * self._speed
        return made

    def _best(self) -> int:
        """Where around the clock the sound is most like what would have followed."""
        low = max(0, int(self._at) - self._search)
        around = self._sound[low : int(self._at) + self._search + self._hop]
        wanted = self._sound[self._follows : self._follows + self._hop]
        likeness = numpy.correlate(around, wanted[: len(around)], "valid")
        energy = numpy.convolve(around**2, numpy.ones(len(wanted), numpy.float32), "valid")
        return low + int(numpy.argmax(likeness / numpy.sqrt(energy + 1e-6)))

    def _forget(self) -> None:
        spare = max(0, min(int(self._at) - self._search, self._follows))
        self._sound = self._sound[spare:]
        self._at, self._follows = self._at - spare, self._follows - spare
