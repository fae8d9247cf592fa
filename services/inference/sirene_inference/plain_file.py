"""Opening a model's file: a regular file, never a link to what lies elsewhere.

A hard link is how Sirene stores once what two variants share; another one could show any file of
the same filesystem, so a file with more than one name must have the sha256 that the install record
names.
"""

import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import msgspec

from sirene_shared.errors import ModelDamaged
from sirene_shared.store import RECORD_NAME, InstallRecord

# A variant's files lie in its directory or in folders of it.
MAX_FOLDERS = 8


def open_plain(path: Path, name: str) -> BinaryIO:
    """The file, to be closed by the caller. name: what messages call it.

    Raises: ModelDamaged when it is missing, a link, no regular file, or has another name and
    is not what was installed.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        # A pipe in a file's place would wait for a writer for ever.
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise damaged(name, "cannot be opened as a plain file") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise damaged(name, "is not a plain file")
    file = os.fdopen(descriptor, "rb")
    if found.st_nlink > 1 and not _is_as_recorded(file, path):
        file.close()
        raise damaged(name, "is not a plain file: it has another name, and is not what came")
    return file


def _is_as_recorded(file: BufferedReader, path: Path) -> bool:
    try:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
    except OSError:
        return False
    return sha256 == _recorded_sha256(path)


def _recorded_sha256(path: Path) -> str:
    """Empty when no record names one."""
    for folder in path.parents[:MAX_FOLDERS]:
        if (folder / RECORD_NAME).is_file():
            break
    else:
        return ""
    try:
        record = msgspec.json.decode((folder / RECORD_NAME).read_bytes(), type=InstallRecord)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    own = path.relative_to(folder).as_posix()
    return next((file.sha256 for file in record.files if file.path == own), "")


def damaged(name: str, what: str) -> ModelDamaged:
    return ModelDamaged(f"{name!r} {what}", hint="Delete the model and pull it again.")
