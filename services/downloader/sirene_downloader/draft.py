"""An install that is not whole yet: the tree as it grows, and a note of where its parts are from.

tree/…          becomes the variant's directory by one rename
journal.json    for each part, what it is a part of
ranges/…        for each part, which of its bytes are here (transfer/journal.py)
ticket          of the run that works on it: whoever has the model's lease takes the folder away
                from a run that had it before, and so that one can commit nothing
"""

import hashlib
import secrets
import threading
from pathlib import Path

import msgspec

from sirene_downloader import volume
from sirene_downloader.remote import Digest, RemoteFile
from sirene_downloader.transfer.journal import Journal
from sirene_shared.store import RECORD_NAME, InstallRecord

TREE_NAME = "tree"
JOURNAL_NAME = "journal.json"
RANGES_NAME = "ranges"
TICKET_NAME = "ticket"
REMOVED_NAME = "removed"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What the bytes of a part are from: never is one continued from another origin."""

    size: int
    digests: tuple[Digest, ...] = ()
    commit: str = ""
    etag: str = ""
    source: str = ""
    """Scheme, host and port that gave the etag."""

    def is_of(self, remote: RemoteFile) -> bool:
        """A digest settles it. Without one nothing would show a part that a crash left with holes,
        and so such a part is never continued by another process."""
        is_the_same = (self.size, self.digests) == (remote.size, remote.digests)
        return is_the_same and bool(self.digests)


class Draft:
    """All of it blocks. Raises: OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal: dict[str, Origin] = {}
        self._noting = threading.Lock()
        self._ticket = ""
        self.tree = folder / TREE_NAME

    def open(self) -> None:
        self.tree.mkdir(parents=True, exist_ok=True)
        self._ticket = secrets.token_hex(16)
        (self._folder / TICKET_NAME).write_text(self._ticket)
        try:
            body = (self._folder / JOURNAL_NAME).read_bytes()
            self._journal = msgspec.json.decode(body, type=dict[str, Origin])
        except (FileNotFoundError, msgspec.MsgspecError):
            self._journal = {}

    def is_ours(self) -> bool:
        """Nobody has had the model's lease since open()."""
        try:
            return (self._folder / TICKET_NAME).read_text() == self._ticket
        except FileNotFoundError:
            return False

    def take_in(self, installed: Path) -> bool:
        """Move what is installed in here, to go with the draft; False when there is nothing.

        Raises: FileNotFoundError when the draft was taken away, and then nothing has changed.
        """
        return volume.move_into(installed, self._folder, REMOVED_NAME)

    def removed_bytes(self) -> int:
        """Of what take_in() moved in here, what goes."""
        return volume.own_bytes(self._folder / REMOVED_NAME)

    def origin(self, path: str) -> Origin | None:
        return self._journal.get(path)

    def note(self, path: str, origin: Origin) -> None:
        with self._noting:
            if self._journal.get(path) != origin:
                self._journal[path] = origin
                volume.write_whole(self._folder / JOURNAL_NAME, msgspec.json.encode(self._journal))

    def ranges(self, path: str) -> Journal:
        """Of the part `path`: which of its bytes are here."""
        # A path may be longer than a name can be.
        name = hashlib.sha256(path.encode()).hexdigest()[:32]
        return Journal(self._folder / RANGES_NAME / name)

    def kept_bytes(self, path: str) -> int:
        """Of the part `path`, by its journal: the part itself has its full length at once."""
        return self.ranges(path).read().size_bytes if (self.tree / path).is_file() else 0

    def prepare(self, files: tuple[RemoteFile, ...]) -> int:
        """Drop every part that cannot be continued; the bytes that are here still."""
        wanted = {file.path: file for file in files}
        kept = 0
        for path in sorted(self.tree.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                volume.remove_if_empty(path)
                continue
            name = path.relative_to(self.tree).as_posix()
            origin, remote = self._journal.get(name), wanted.get(name)
            here = self.kept_bytes(name)
            is_usable = here and path.lstat().st_size <= remote.size if remote else False
            if origin and remote and origin.is_of(remote) and is_usable:
                kept += here
            else:
                path.unlink()
                self.ranges(name).remove()
        for file in files:
            part = self.tree / file.path
            part.parent.mkdir(parents=True, exist_ok=True)
            if not part.exists():
                self.ranges(file.path).remove()
        return kept

    def finish(self, record: InstallRecord) -> None:
        """Write the record and make the tree durable: it is ready for its final name."""
        volume.write_whole(self.tree / RECORD_NAME, msgspec.json.encode(record))
        volume.sync_tree(self.tree)

    def remove(self) -> None:
        volume.remove(self._folder)
