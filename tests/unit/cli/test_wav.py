"""Headers that were sent before the length was known."""

import io
import struct
import wave

import pytest

from sirene_cli.wav import NotWav, fix_sizes

FORMAT = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 22_050, 44_100, 2, 16)


def streamed(samples: bytes, *, size: int = 0xFFFFFFFF, extra: bytes = b"") -> io.BytesIO:
    head = struct.pack("<4sI4s", b"RIFF", size, b"WAVE")
    return io.BytesIO(head + FORMAT + extra + struct.pack("<4sI", b"data", size) + samples)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
@pytest.mark.parametrize("extra", [b"", struct.pack("<4sI", b"LIST", 3) + b"abc\0"])
def test_the_sizes_become_true(size: int, extra: bytes) -> None:
    file = streamed(b"\1\2" * 11_025, size=size, extra=extra)
    assert fix_sizes(file).seconds == 0.5
    body = file.getvalue()
    assert struct.unpack("<I", body[4:8]) == (len(body) - 8,)
    with wave.open(io.BytesIO(body)) as opened:
        assert opened.readframes(1 << 20) == b"\1\2" * 11_025


def test_half_a_frame_at_the_end_is_dropped() -> None:
    file = streamed(b"\1\2\3")
    assert fix_sizes(file).size_bytes == 2
    assert file.getvalue().endswith(b"\2\0\0\0\1\2")


@pytest.mark.parametrize(
    "body",
    [b"", b"RIFF", b"ID3" + b"\0" * 40, b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata\0\0\0\0\0\0"],
)
def test_what_is_no_wav_is_refused(body: bytes) -> None:
    with pytest.raises(NotWav):
        fix_sizes(io.BytesIO(body))
