"""Disk space taken before it is needed, where the filesystem can; the others learn it later."""

import ctypes
import errno
import os

from sirene_downloader.volume import FULL

_fallocate = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
if _fallocate is not None:
    _fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def reserve(descriptor: int, size: int) -> None:
    """Make the file `size` bytes long, its space its own. Raises: OSError when it is not there.

    Not os.posix_fallocate: where the filesystem cannot, that writes into every block instead.
    """
    while size and _fallocate is not None:
        if _fallocate(descriptor, 0, 0, size) == 0:
            return
        number = ctypes.get_errno()
        if number in FULL:
            raise OSError(number, os.strerror(number))
        if number != errno.EINTR:
            break
    os.truncate(descriptor, size)
