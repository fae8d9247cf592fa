"""What was made of a model's files at an earlier load, kept in a folder of this replica's own.

An entry is named by what it was made of: the source's bytes, the CPU, and the purpose, which tells
the version too. It is read back only if it is whole; if it is not, or cannot be kept, it is made
again, and nothing else happens. Making it costs more than a load without it, so it is made at the
second load: a model that is loaded once never pays for it. The folder never holds more than its
limit: what was used longest ago goes.
"""

import hashlib
import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import msgspec

log = logging.getLogger(__name__)

Made = TypeVar("Made")
MAGIC = b"sirene 1"
DIGEST_BYTES = 32
SUFFIX, SEEN, UNFINISHED = ".kept", ".seen", ".unfinished"
# What a runner left unfinished that was killed while it wrote.
UNFINISHED_S = 3600.0
# Nobody else may put anything here.
FOLDER_MODE, OTHERS_WRITE = 0o700, 0o022


class Kept:
    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self._limit_bytes = limit_bytes

    def get(
        self,
        source: bytes,
        purpose: str,
        kind: type[Made],
        make: Callable[[], Made],
        plain: Callable[[], Made],
    ) -> Made:
        """What `make()` gives, or gave before; the first time, what `plain()` gives.

        kind: their type, for msgspec. plain: quicker than make(), and not worth keeping.
        """
        path = self.folder / f"{_key(source, purpose)}{SUFFIX}"
        if not self._is_usable():
            return plain()
        if not path.exists() and not self._was_seen(path.with_suffix(SEEN)):
            return plain()
        body = self._read(path)
        if body is not None:
            try:
                return msgspec.msgpack.decode(body, type=kind)
            except msgspec.MsgspecError:
                self._drop(path)
        made = make()
        self._write(path, msgspec.msgpack.encode(made))
        self._drop(path.with_suffix(SEEN))
        return made

    def _is_usable(self) -> bool:
        try:
            self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._check_folder()
        except OSError as error:
            log.info("nothing is kept from load to load: %s", error.strerror or error)
            return False
        return True

    def _was_seen(self, mark: Path) -> bool:
        if mark.exists():
            return True
        with suppress(OSError):
            mark.touch(mode=0o600)
        return False

    def scratch(self) -> "tempfile.TemporaryDirectory[str]":
        """An empty folder beside what is kept, for what make() does. Raises: OSError."""
        return tempfile.TemporaryDirectory(suffix=UNFINISHED, dir=self.folder)

    def _read(self, path: Path) -> memoryview | None:
        try:
            content = path.read_bytes()
            os.utime(path)  # used now
        except FileNotFoundError:
            return None
        except OSError as error:
            log.info("nothing is kept from load to load: %s", error.strerror or error)
            return None
        body = memoryview(content)[len(MAGIC) + DIGEST_BYTES :]
        if content[: len(MAGIC) + DIGEST_BYTES] == MAGIC + hashlib.sha256(body).digest():
            return body
        log.warning("what was kept of an earlier load is damaged, and made again")
        self._drop(path)
        return None

    def _write(self, path: Path, body: bytes) -> None:
        if len(body) > self._limit_bytes:
            return
        try:
            self._make_room(len(body))
            descriptor, name = tempfile.mkstemp(suffix=UNFINISHED, dir=self.folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(MAGIC + hashlib.sha256(body).digest())
                    file.write(body)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            log.info("nothing is kept from load to load: %s", error.strerror or error)

    def _check_folder(self) -> None:
        """Raises: OSError."""
        found = self.folder.lstat()
        if found.st_uid != os.geteuid() or found.st_mode & OTHERS_WRITE:
            raise PermissionError(0, "others may write into the folder")

    def _make_room(self, size_bytes: int) -> None:
        kept: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):  # another runner was faster
                found = path.stat()
                if path.suffix == SUFFIX:
                    kept.append((found.st_mtime, found.st_size, path))
                elif path.suffix == UNFINISHED and time.time() - found.st_mtime > UNFINISHED_S:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        room = self._limit_bytes - size_bytes - sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if room >= 0:
                break
            self._drop(path)
            room += size

    def _drop(self, path: Path) -> None:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _key(source: bytes, purpose: str) -> str:
    parts = (purpose.encode(), _cpu().encode(), hashlib.sha256(source).digest())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@cache
def _cpu() -> str:
    """Its make and its instructions: an engine may choose by them."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return f"{platform.machine()} {line}"
    return f"{platform.machine()} {platform.processor()}"


@cache
def code_of(*modules: ModuleType) -> str:
    """A digest of what these modules do."""
    bodies = (Path(module.__file__).read_bytes() for module in modules if module.__file__)
    return hashlib.sha256(b"\0".join(bodies)).hexdigest()[:16]


class _Here:
    """This process's; a runner holds models of one service."""

    kept: Kept | None = None


def use(folder: Path, limit_bytes: int) -> None:
    """From now on, in this process, keep what kept() makes. limit_bytes: 0 keeps nothing."""
    _Here.kept = Kept(folder, limit_bytes) if limit_bytes else None


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """An empty folder for what is being made. Raises: OSError when nothing will be kept."""
    if _Here.kept is None:
        raise FileNotFoundError("nothing is kept")
    return _Here.kept.scratch()


def kept(
    source: bytes,
    purpose: str,
    kind: type[Made],
    make: Callable[[], Made],
    plain: Callable[[], Made],
) -> Made:
    """What `make()` gives, from an earlier load if it can be, or what `plain()` gives."""
    return _Here.kept.get(source, purpose, kind, make, plain) if _Here.kept else plain()
