"""PCM frames as the bytes of a response: with a WAV header, or bare."""

import asyncio
import struct
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from sirene_shared.ending import end
from sirene_shared.errors import SpeechFailed
from sirene_shared.speech_stream import SAMPLE_BYTES, Frame

# OpenAI's `pcm` has this rate, and no header that could say another.
PCM_RATE_HZ = 24_000
# How long the first bytes are held back to see whether the audio is whole already, so that a short
# answer can carry its length.
WHOLE_WAIT_S = 0.002
WHOLE_FRAMES = 16
UNKNOWN_SIZE = 0xFFFFFFFF
# Of the RIFF chunk, beside the samples.
HEADER_REST_BYTES = 36


def wav_header(sample_rate: int, samples_bytes: int | None) -> bytes:
    """samples_bytes: None while it is unknown; players then read to the end."""
    known = samples_bytes is not None and samples_bytes + HEADER_REST_BYTES < UNKNOWN_SIZE
    size = samples_bytes if known and samples_bytes is not None else UNKNOWN_SIZE
    riff_size = size + HEADER_REST_BYTES if known else UNKNOWN_SIZE
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        riff_size,
        b"WAVE",
        b"fmt ",
        16,
        1,  # PCM
        1,  # mono
        sample_rate,
        sample_rate * SAMPLE_BYTES,
        SAMPLE_BYTES,
        8 * SAMPLE_BYTES,
        b"data",
        size,
    )


async def pcm(frames: AsyncGenerator[Frame, None], sample_rate: int) -> AsyncGenerator[bytes, None]:
    """s16le mono without a header, all at `sample_rate`. Raises: SpeechFailed."""
    async with aclosing(frames):
        async for frame in frames:
            yield _samples(frame, sample_rate)


async def wav(frames: AsyncGenerator[Frame, None]) -> AsyncGenerator[bytes, None]:
    """A WAV file as it is made; its header has the length if the audio is there already.

    Raises: SpeechFailed.
    """
    async with aclosing(frames):
        first = await anext(frames)
        rate, ready = first.sample_rate, [first.samples]
        following = asyncio.create_task(_next(frames))
        try:
            hold_until = time.monotonic() + WHOLE_WAIT_S
            is_whole = False
            while not is_whole and len(ready) < WHOLE_FRAMES:
                await asyncio.wait({following}, timeout=max(hold_until - time.monotonic(), 0))
                if not following.done():
                    break
                if (frame := following.result()) is None:
                    is_whole = True
                else:
                    ready.append(_samples(frame, rate))
                    following = asyncio.create_task(_next(frames))
            samples = b"".join(ready)
            yield wav_header(rate, len(samples) if is_whole else None) + samples
            if (frame := await following) is None:
                return
            yield _samples(frame, rate)
        finally:
            await end({following})
        async for frame in frames:
            yield _samples(frame, rate)


async def _next(frames: AsyncGenerator[Frame, None]) -> Frame | None:
    """None at the end; a coroutine, so that it can be a task."""
    return await anext(frames, None)


def _samples(frame: Frame, sample_rate: int) -> bytes:
    if frame.sample_rate != sample_rate:
        raise SpeechFailed("the replica answered with another sample rate than the one agreed")
    return frame.samples
