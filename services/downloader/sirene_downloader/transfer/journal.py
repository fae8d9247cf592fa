"""Which bytes of a part are on the disk, beside the part and line by line.

    boot 4f0c…      the machine's start that the next lines are from
    w 0 2097152     written: it survives the death of the process, but not of the machine
    s 0 8388608     and synced: it survives both

A line that is cut off, or anything else that is no such line, ends it. All of it blocks.
"""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sirene_downloader import volume
from sirene_downloader.transfer.segments import Ranges

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _this_boot() -> str:
    """Empty where nobody says: then only what was synced counts."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


class Journal:
    def __init__(self, path: Path, *, boot: str | None = None) -> None:
        self._path = path
        self._boot = _this_boot() if boot is None else boot
        self._descriptor: int | None = None

    def read(self) -> Ranges:
        """What can be relied on. Raises: OSError."""
        try:
            lines = self._path.read_text("ascii", errors="replace").split("\n")[:-1]
        except FileNotFoundError:
            return Ranges()
        here, is_this_boot = Ranges(), False
        for line in lines:
            kind, *rest = line.split(" ")
            if kind == "boot" and len(rest) == 1:
                is_this_boot = bool(self._boot) and rest[0] == self._boot
            elif kind in ("w", "s") and len(rest) == 2 and all(map(str.isdecimal, rest)):
                if kind == "s" or is_this_boot:
                    here.add(int(rest[0]), int(rest[1]))
            else:
                break
        return here

    def begin(self, synced: Ranges) -> None:
        """Replace what it says, durably, and go on from there. Raises: OSError."""
        self.close()
        self._path.parent.mkdir(exist_ok=True)
        lines = [f"boot {self._boot}\n", *_lines("s", synced)]
        volume.write_whole(self._path, "".join(lines).encode())
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags)

    def wrote(self, spans: Iterable[tuple[int, int]]) -> None:
        self._add("w", spans)

    def synced(self, spans: Iterable[tuple[int, int]]) -> None:
        """Call when the bytes themselves are synced."""
        self._add("s", spans)
        if self._descriptor is not None:
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with suppress(OSError):
                os.close(descriptor)

    def remove(self) -> None:
        """Raises: OSError."""
        self._path.unlink(missing_ok=True)

    def _add(self, kind: str, spans: Iterable[tuple[int, int]]) -> None:
        lines = "".join(_lines(kind, spans)).encode()
        if (
            lines
            and self._descriptor is not None
            and os.write(self._descriptor, lines) < len(lines)
        ):
            self.close()  # the next line would not be told from the rest of this one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _lines(kind: str, spans: Iterable[tuple[int, int]]) -> list[str]:
    return [f"{kind} {start} {end}\n" for start, end in spans]
