"""A reference clip into samples."""

import io

import numpy as np
import pytest
import soundfile

from sirene_inference import clip
from sirene_shared.errors import InvalidRequest
from tests.support import speech_clip


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_every_usual_format_is_read(kind: str) -> None:
    samples = clip.decode(speech_clip.wav(2.0, 44_100, channels=2, kind=kind), 24_000)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(48_000, rel=0.05)
    assert np.abs(np.fft.rfft(samples)).argmax() / 2 == pytest.approx(150, abs=5)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no sound file"),
        (b"\x00" * 1000, "no sound file"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "no sound file"),
        (speech_clip.wav(2.0, kind="AU"), "format"),
        (speech_clip.wav(0.5), "only 0.5 s"),
        (speech_clip.wav(30.5), "longer than 30 s"),
    ],
)
def test_what_is_no_clip_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told) as caught:
        clip.decode(body, 24_000)
    assert caught.value.param == "ref_audio"


def test_silence_is_no_clip() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(48_000, np.float32), 24_000, format="WAV")
    with pytest.raises(InvalidRequest, match="no sound"):
        clip.decode(file.getvalue(), 24_000)


def test_a_header_that_promises_hours_is_not_believed() -> None:
    body = bytearray(speech_clip.wav(2.0))
    body[40:44] = (0x7FFFFFF0).to_bytes(4, "little")
    assert len(clip.decode(bytes(body), 24_000)) == pytest.approx(48_000, abs=100)
