"""A streamed WAV made right: its header was sent before anyone knew how long it would be."""

import os
import struct
from typing import BinaryIO, NamedTuple

# A header of 32 bits cannot say more; players then read to the end of the file.
UNKNOWN_SIZE = 0xFFFFFFFF


class NotWav(ValueError):
    """The bytes are no RIFF/WAVE file with a format and samples."""


class Samples(NamedTuple):
    """Where the samples lie, and how long they sound."""

    offset: int
    size_bytes: int
    bytes_per_second: int

    @property
    def seconds(self) -> float:
        return self.size_bytes / self.bytes_per_second


def fix_sizes(file: BinaryIO) -> Samples:
    """Write the real sizes into the header of `file`, whose last chunk is the samples.

    Raises: NotWav.
    """
    end = file.seek(0, os.SEEK_END)
    offset, bytes_per_second, frame_bytes = _find_samples(file, end)
    # A last frame that is not whole would be noise.
    size = (end - offset) // frame_bytes * frame_bytes
    padding = size % 2
    file.truncate(offset + size)
    file.seek(offset + size)
    file.write(b"\0" * padding)
    for position, value in ((4, offset - 8 + size + padding), (offset - 4, size)):
        file.seek(position)
        file.write(struct.pack("<I", min(value, UNKNOWN_SIZE)))
    return Samples(offset, size, bytes_per_second)


def _find_samples(file: BinaryIO, end: int) -> tuple[int, int, int]:
    """(offset of the samples, bytes per second, bytes per frame)."""
    file.seek(0)
    head = _read(file, 12)
    if not (head.startswith(b"RIFF") and head.endswith(b"WAVE")):
        raise NotWav("no RIFF/WAVE header")
    bytes_per_second = frame_bytes = 0
    position = 12
    while position + 8 <= end:
        file.seek(position)
        name, size = struct.unpack("<4sI", _read(file, 8))
        if name == b"data":
            if not bytes_per_second or not frame_bytes:
                break
            return position + 8, bytes_per_second, frame_bytes
        if name == b"fmt ":
            _, _, _, bytes_per_second, frame_bytes = struct.unpack("<HHIIH", _read(file, 14))
        position += 8 + size + size % 2
    raise NotWav("no format or no samples")


def _read(file: BinaryIO, count: int) -> bytes:
    found = file.read(count)
    if len(found) != count:
        raise NotWav("cut off in the header")
    return found
