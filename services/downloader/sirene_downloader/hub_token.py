"""The token for the hub: the one that somebody gave us while we run, else the environment's.

It lies on the volume, for every downloader of the volume and for after a restart, and outside every
model's folder: what is in those is a model's, is hashed, linked and copied by hand. Only the
downloader's user may read it.

    <root>/.sirene/hub-token      0600
"""

import logging
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from sirene_downloader import volume
from sirene_shared import logs
from sirene_shared.inquiries import TOKEN, TokenSource

log = logging.getLogger(__name__)

MAX_BYTES = 4096


class HubToken:
    """Its methods block, `value` and `source` do not; for several threads at a time."""

    def __init__(self, path: Path, environment: str = "") -> None:
        self._path = path
        self._environment = environment
        self._stored = ""
        self._seen: tuple[int, int, int] | None = None

    @property
    def value(self) -> str:
        """As of the last refresh(); empty: there is none."""
        return self._stored or self._environment

    @property
    def source(self) -> TokenSource:
        if self._stored:
            return TokenSource.STORED
        return TokenSource.ENVIRONMENT if self._environment else TokenSource.NONE

    def refresh(self) -> None:
        """Read it again if another downloader has changed it."""
        try:
            found = self._path.lstat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                self._take(self._read())
                self._seen = seen
        except FileNotFoundError:
            self._take("")
            self._seen = None
        except OSError as error:
            log.warning("the stored hub token cannot be read: %s", os.strerror(error.errno or 0))
            self._take("")
            self._seen = None

    def keep(self, token: str) -> None:
        """From now on, and after a restart. Raises: OSError."""
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"{self._path.name}.{secrets.token_hex(4)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(draft, flags, 0o600)
            try:
                os.write(descriptor, token.encode("ascii"))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            draft.rename(self._path)
        finally:
            draft.unlink(missing_ok=True)
        volume.sync_directory(folder)
        self.refresh()

    def clear(self) -> None:
        """The environment's counts again. Raises: OSError."""
        with suppress(FileNotFoundError):
            self._path.unlink()
            volume.sync_directory(self._path.parent)
        self.refresh()

    def _read(self) -> str:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            body = os.read(descriptor, MAX_BYTES) if is_file else b""
        finally:
            os.close(descriptor)
        token = body.decode("ascii", errors="replace").strip()
        if not TOKEN.fullmatch(token):
            log.warning("the stored hub token is none: it is not used")
            return ""
        return token

    def _take(self, token: str) -> None:
        if token:
            logs.mask(token)
        self._stored = token
