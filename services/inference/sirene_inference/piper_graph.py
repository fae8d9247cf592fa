"""A Piper graph that speaks: whole, or in windows where its decoder can be cut off."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy
from numpy.typing import NDArray

from sirene_inference import onnx_cut, piper_split
from sirene_inference.backends import Audio
from sirene_inference.cancellation import Cancellation
from sirene_inference.onnx_session import (
    OnnxSession,
    as_audio,
    from_earlier,
    may_use_cuda,
    optimised,
    seeded,
)
from sirene_inference.pace import Lead, Pace
from sirene_inference.piper_split import SPEAKER, NoSplit, Split, split

log = logging.getLogger(__name__)

Inputs = Mapping[str, NDArray[numpy.generic]]


class WholeGraph:
    """A sentence at a time."""

    def __init__(self, session: OnnxSession, reopen: Callable[[], OnnxSession]) -> None:
        """reopen: the session anew."""
        self._session = session
        self._reopen = reopen
        self.inputs = set(session.inputs)
        self.device = session.device

    def seeded(self, seed: int) -> "WholeGraph":
        """The same for one speech, the noise of which this seed decides. Raises: ModelDamaged."""
        return WholeGraph(seeded(seed, self._reopen), self._reopen)

    def speak(self, inputs: Inputs, cancelled: Cancellation, lead: Lead) -> Iterator[Audio]:
        """The audio of one sentence; ends early when cancelled. Raises: SpeechFailed.

        lead: of the speech that it is a part of.
        """
        outputs = self._session.run(inputs, cancelled)
        if outputs is not None:
            yield as_audio(outputs[0])

    def give_back(self) -> None:
        self._session.give_back()


class SplitGraph:
    """The frames of a sentence at a time, and its samples in windows."""

    def __init__(
        self,
        encoder: OnnxSession,
        decoder: OnnxSession,
        cut: Split,
        pace: Pace,
        reopen: Callable[[], OnnxSession],
    ) -> None:
        """reopen: the encoder anew."""
        self._reopen = reopen
        self._encoder = encoder
        self._decoder = decoder
        self._cut = cut
        self._pace = pace
        self.inputs = set(encoder.inputs) | set(decoder.inputs) - {cut.latent}
        self.device = decoder.device

    def seeded(self, seed: int) -> "SplitGraph":
        """As WholeGraph's: all noise lies in the encoder. Windows differ by rounding alone."""
        encoder = seeded(seed, self._reopen)
        return SplitGraph(encoder, self._decoder, self._cut, self._pace, self._reopen)

    def speak(self, inputs: Inputs, cancelled: Cancellation, lead: Lead) -> Iterator[Audio]:
        """As WholeGraph's, in pieces."""
        mine = {name: value for name, value in inputs.items() if name in self._encoder.inputs}
        outputs = self._encoder.run(mine, cancelled)
        if outputs is None:
            return
        latent = numpy.asarray(outputs[0])
        frames = latent.shape[-1]
        speaker = {SPEAKER: inputs[SPEAKER]} if self._cut.takes_speaker else {}
        at = 0
        while at < frames and not cancelled.is_set():
            end = at + self._pace.next(lead.left_s(), frames - at)
            audio = self._window(latent, at, end, speaker, cancelled)
            if audio is None:
                return
            lead.grows((end - at) * self._pace.frame_s)
            yield audio
            at = end

    def give_back(self) -> None:
        for session in (self._encoder, self._decoder):
            session.give_back()

    def _window(
        self,
        latent: NDArray[numpy.float32],
        start: int,
        end: int,
        speaker: Inputs,
        cancelled: Cancellation,
    ) -> "Audio | None":
        """The samples of the frames from start to end; None when it was cancelled."""
        low, high = max(0, start - self._cut.overlap), end + self._cut.overlap
        seen = numpy.ascontiguousarray(latent[..., low:high])
        began = time.monotonic()
        outputs = self._decoder.run({self._cut.latent: seen, **speaker}, cancelled)
        if outputs is None:
            return None
        self._pace.note(seen.shape[-1], time.monotonic() - began)
        first = (start - low) * self._cut.hop
        return as_audio(outputs[0])[first : first + (end - start) * self._cut.hop]


def open_graph(
    read: Callable[[], bytes], name: str, sample_rate: int, *, wants_cuda: bool, threads: int
) -> WholeGraph | SplitGraph:
    """read: gives the file, as read_model() has checked it; again for each seeded speech, since the
    sessions have their own copies: 63 MB for a medium voice. name: what messages call it.

    Raises: ModelDamaged.
    """
    is_on_cpu = not may_use_cuda(wants_cuda)
    opened = partial(OnnxSession, name=name, wants_cuda=wants_cuda, threads=threads)
    body = read()
    try:
        cut = _halves(body, keep=is_on_cpu)
    except NoSplit as reason:
        log.info("%s is run whole, a sentence at a time: %s", name, reason)
        return WholeGraph(
            opened(_whole(body, keep=is_on_cpu)), lambda: opened(_whole(read(), keep=is_on_cpu))
        )
    return SplitGraph(
        opened(cut.encoder),
        opened(cut.decoder),
        cut._replace(encoder=b"", decoder=b""),
        Pace(cut.hop / sample_rate, cut.overlap),
        lambda: opened(_halves(read(), keep=is_on_cpu).encoder),
    )


def _halves(body: bytes, *, keep: bool) -> Split:
    """Raises: NoSplit."""
    if not keep:
        return split(body)
    return from_earlier(
        body, Split, partial(_cut, body), partial(split, body), piper_split, onnx_cut
    )


def _whole(body: bytes, *, keep: bool) -> bytes:
    return (
        from_earlier(body, bytes, partial(optimised, body), partial(bytes, body)) if keep else body
    )


def _cut(body: bytes) -> Split:
    """Raises: NoSplit."""
    cut = split(body)
    return cut._replace(encoder=optimised(cut.encoder), decoder=optimised(cut.decoder))
