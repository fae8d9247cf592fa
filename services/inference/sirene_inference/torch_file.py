"""Reading torch's own file format: tensors alone, and nothing that runs.

The only place of Sirene that calls `torch.load`. Older versions than 2.6 ran code even so
(CVE-2025-32434); the `torch` extra asks for a newer one, and this looks again.
"""

import pickle
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor
from torch.torch_version import TorchVersion

from sirene_inference.plain_file import damaged, open_plain
from sirene_shared.errors import BackendMissing

LEAST_TORCH = "2.6"
# What torch throws at a file that was cut, mixed up, or holds more than weights.
UNREADABLE = (
    *(OSError, EOFError, RuntimeError, ValueError, TypeError, LookupError, AttributeError),
    *(AssertionError, ArithmeticError, pickle.UnpicklingError, zipfile.BadZipFile, struct.error),
)


def load(path: Path) -> dict[str, Tensor]:
    """The tensors by name, on the CPU. Raises: ModelDamaged, BackendMissing (torch is too old)."""
    if TorchVersion(torch.__version__) < TorchVersion(LEAST_TORCH):
        raise BackendMissing("torch is too old to read this file safely", hint="Update torch.")
    with open_plain(path, path.name) as file:
        try:
            _refuse_bomb(file)
            found = torch.load(file, map_location="cpu", weights_only=True)
        except UNREADABLE as error:
            raise damaged(path.name, "holds no weights alone, or was cut") from error
    if not isinstance(found, dict):
        raise damaged(path.name, "holds no tensors by name")
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise damaged(path.name, "holds more than tensors by name")
    return found


def _refuse_bomb(file: BinaryIO) -> None:
    """torch stores and never compresses: what would grow is none of its files. Raises: ValueError.

    The format before 1.6, a bare pickle, is left to torch.
    """
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ValueError("compressed")
    file.seek(0)
