"""The files that somebody brings: themselves, in a folder, or in a tar of one."""

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from sirene_cli.failures import CliError

CHUNK_BYTES = 1 << 20
Open = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class BroughtFile:
    name: str
    """With `/` where it lies in a folder."""
    size_bytes: int
    open: Open

    def chunks(self) -> Iterator[bytes]:
        with self.open() as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


def gather(paths: Iterable[Path], held: ExitStack) -> list[BroughtFile]:
    """held: closes the archives, after the last file was read. Raises: CliError, OSError."""
    found: list[BroughtFile] = []
    for path in paths:
        if path.is_dir():
            found += _in_folder(path)
        elif tarfile.is_tarfile(path):
            archive = tarfile.open(path)  # noqa: SIM115 - held
            found += _in_archive(held.enter_context(archive))
        else:
            found.append(BroughtFile(path.name, path.stat().st_size, partial(_open, path)))
    names = [file.name for file in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CliError(f"{twice!r} is there twice", hint="Bring the files of one model at a time.")
    return found


def _in_folder(folder: Path) -> Iterator[BroughtFile]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not _is_hidden(name.parts):
            yield BroughtFile(name.as_posix(), path.stat().st_size, partial(_open, path))


def _in_archive(archive: tarfile.TarFile) -> Iterator[BroughtFile]:
    for member in archive.getmembers():
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        if member.isfile() and not _is_hidden(parts):
            yield BroughtFile("/".join(parts), member.size, partial(_member, archive, member))


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None  # it is a plain file
    return file


def _is_hidden(parts: Iterable[str]) -> bool:
    """The install record, and what the system leaves in folders."""
    return any(part.startswith(".") for part in parts)
