"""Float samples into the frames that travel: s16le mono, at the rate that was asked for."""

from collections.abc import Iterator

import numpy
import soxr

from sirene_inference.backends import Audio

FULL_SCALE = 32767.0


class PcmEncoder:
    """One stream of audio. What a frame cannot hold in full waits for none: frames may be short,
    so that a sentence leaves as soon as it is made."""

    def __init__(self, made_hz: int, wanted_hz: int | None, frame_bytes: int) -> None:
        self.sample_rate = wanted_hz or made_hz
        self._frame_bytes = frame_bytes - frame_bytes % 2
        self._resampler = (
            soxr.ResampleStream(made_hz, wanted_hz, 1, dtype="float32")
            if wanted_hz and wanted_hz != made_hz
            else None
        )

    def encode(self, audio: Audio) -> Iterator[bytes]:
        if self._resampler:
            audio = self._resampler.resample_chunk(audio)
        yield from self._frames(audio)

    def flush(self) -> Iterator[bytes]:
        """What the resampler still holds; the stream ends."""
        if self._resampler:
            yield from self._frames(
                self._resampler.resample_chunk(numpy.zeros(0, numpy.float32), last=True)
            )

    def _frames(self, audio: Audio) -> Iterator[bytes]:
        # The gain is fixed: a gain by each sentence's peak would make loudness jump.
        samples = numpy.clip(audio, -1.0, 1.0) * FULL_SCALE
        body = numpy.rint(samples).astype("<i2").tobytes()
        for start in range(0, len(body), self._frame_bytes):
            yield body[start : start + self._frame_bytes]
