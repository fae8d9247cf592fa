"""What lies in a folder while others may change it: what goes meanwhile is left out.

All of it blocks, follows no link, and raises OSError for what is there and cannot be read.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path


def children(folder: Path) -> list[Path]:
    """In order; none when there is no such folder any more."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything in it and in the folders in it, each before what it holds."""
    for path in children(folder):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        yield path, found
        if stat.S_ISDIR(found.st_mode):
            yield from below(path)


def files_below(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The plain ones."""
    for path, found in below(folder):
        if stat.S_ISREG(found.st_mode):
            yield path, found
