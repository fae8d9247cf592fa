"""Where `sirene say` puts the audio: a pipe as it comes, or a file that appears only when whole."""

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from sirene_cli import wav
from sirene_cli.failures import CliError
from sirene_cli.folders import shown

# What the API promises of pcm: 24 kHz, mono, 16 bit.
PCM_BYTES_PER_SECOND = 48_000


class Sink(Protocol):
    """Takes the audio; at the end of its `with` block it is complete, or gone after an error."""

    size_bytes: int
    seconds: float | None
    """How long it sounds; known at the end, for a file."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def write(self, chunk: bytes) -> None: ...


class Pipe:
    """Passes each chunk on at once; what was passed on cannot be taken back or corrected."""

    def __init__(self, file: BinaryIO, *, is_closed_after: bool = False) -> None:
        self.size_bytes = 0
        self.seconds: float | None = None
        self._file = file
        self._is_closed_after = is_closed_after

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_closed_after:
            self._file.close()

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._file.flush()
        self.size_bytes += len(chunk)


class WholeFile:
    """Written beside `path` under another name, which it loses when the audio is complete."""

    def __init__(self, path: Path, audio_format: str) -> None:
        self.size_bytes = 0
        self.seconds: float | None = None
        self._path, self._format = path, audio_format
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".part", dir=path.parent
        )
        self._part = Path(name)
        self._file = os.fdopen(descriptor, "w+b")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._complete()
        finally:
            self._file.close()
            self._part.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.size_bytes += len(chunk)

    def _complete(self) -> None:
        if self._format == "pcm":
            self.seconds = self.size_bytes / PCM_BYTES_PER_SECOND
        else:
            try:
                self.seconds = wav.fix_sizes(self._file).seconds
            except wav.NotWav as error:
                raise CliError(f"what came is no WAV: {error}", code="unexpected_answer") from error
        self._file.flush()
        # mkstemp makes a private file; the result gets the rights of any other new file.
        umask = os.umask(0)
        os.umask(umask)
        self._part.chmod(0o666 & ~umask)
        self._part.replace(self._path)


def open_sink(path: Path, audio_format: str) -> Sink:
    """For `path`; what is no plain file (a device, a named pipe) is written to as a pipe is.

    Raises: CliError.
    """
    try:
        if path.exists() and not path.is_file():
            return Pipe(path.open("wb"), is_closed_after=True)
        return WholeFile(path, audio_format)
    except OSError as error:
        raise CliError(f"{shown(path)} cannot be written: {error.strerror}") from error
