"""PCM frames as the bytes of a response."""

import asyncio
import io
import wave
from collections.abc import AsyncGenerator

import pytest

from sirene_api.audio import pcm, wav, wav_header
from sirene_shared.errors import RunnerCrashed, SpeechFailed
from sirene_shared.speech_stream import Frame

RATE_HZ = 22_050


class Source:
    """Frames, with a pause after some; remembers that it was closed."""

    def __init__(self, *frames: Frame | Exception, pause_after: int | None = None) -> None:
        self.frames = frames
        self.pause_after = pause_after
        self.goes_on = asyncio.Event()
        self.is_closed = False

    async def __call__(self) -> AsyncGenerator[Frame, None]:
        try:
            for count, frame in enumerate(self.frames):
                if count == self.pause_after:
                    await self.goes_on.wait()
                if isinstance(frame, Exception):
                    raise frame
                yield frame
        finally:
            self.is_closed = True


def frame(value: int, samples: int = 10) -> Frame:
    return Frame(bytes([value, 0]) * samples, RATE_HZ)


async def test_a_whole_speech_has_its_length() -> None:
    source = Source(frame(1), frame(2))
    body = b"".join([chunk async for chunk in wav(source())])
    with wave.open(io.BytesIO(body)) as audio:
        assert (audio.getnchannels(), audio.getsampwidth()) == (1, 2)
        assert (audio.getframerate(), audio.getnframes()) == (RATE_HZ, 20)
        assert audio.readframes(20) == frame(1).samples + frame(2).samples
    assert source.is_closed


async def test_what_is_still_being_made_has_no_length_and_is_not_held_back() -> None:
    source = Source(frame(1), frame(2), frame(3), pause_after=1)
    chunks = wav(source())
    first = await anext(chunks)
    assert first == wav_header(RATE_HZ, None) + frame(1).samples
    source.goes_on.set()
    assert b"".join([chunk async for chunk in chunks]) == frame(2).samples + frame(3).samples


async def test_many_frames_at_once_are_not_collected_without_end() -> None:
    frames = [frame(count % 100, samples=1) for count in range(100)]
    chunks = [chunk async for chunk in wav(Source(*frames)())]
    assert len(chunks) > 50
    assert b"".join(chunks)[44:] == b"".join(one.samples for one in frames)


async def test_leaving_while_waiting_closes_the_source() -> None:
    source = Source(frame(1), frame(2), pause_after=1)
    chunks = wav(source())
    await anext(chunks)
    waiting = asyncio.create_task(anext(chunks, None))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await chunks.aclose()
    assert source.is_closed


async def test_leaving_between_two_chunks_closes_the_source() -> None:
    source = Source(frame(1), frame(2), pause_after=1)
    chunks = wav(source())
    await anext(chunks)
    await chunks.aclose()
    assert source.is_closed


async def test_an_error_in_the_middle_passes_through() -> None:
    source = Source(frame(1), RunnerCrashed("gone"), pause_after=1)
    chunks = wav(source())
    await anext(chunks)
    source.goes_on.set()
    with pytest.raises(RunnerCrashed):
        await anext(chunks)
    assert source.is_closed


@pytest.mark.parametrize("as_wav", [True, False])
async def test_a_rate_that_changes_is_an_error(as_wav: bool) -> None:
    frames = Source(frame(1), Frame(b"\0\0", 48_000))()
    chunks = wav(frames) if as_wav else pcm(frames, RATE_HZ)
    with pytest.raises(SpeechFailed):
        _ = [chunk async for chunk in chunks]


async def test_pcm_is_the_samples_alone() -> None:
    source = Source(frame(1), frame(2))
    body = b"".join([chunk async for chunk in pcm(source(), RATE_HZ)])
    assert body == frame(1).samples + frame(2).samples
    assert source.is_closed


def test_a_file_too_long_for_its_header_says_unknown() -> None:
    assert wav_header(RATE_HZ, 1 << 33) == wav_header(RATE_HZ, None)
