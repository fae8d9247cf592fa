"""Opening a model's file: a regular file of its own, never a link to what lies elsewhere."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from sirene_shared.errors import ModelDamaged


def open_plain(path: Path, name: str) -> BinaryIO:
    """The file, to be closed by the caller. name: what messages call it.

    Raises: ModelDamaged when it is missing, a link, one of several names, or no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        # A pipe in a file's place would wait for a writer for ever.
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise damaged(name, "cannot be opened as a plain file") from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise damaged(name, "is not a plain file")
    return os.fdopen(descriptor, "rb")


def damaged(name: str, what: str) -> ModelDamaged:
    return ModelDamaged(f"{name!r} {what}", hint="Delete the model and pull it again.")
