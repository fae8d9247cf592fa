"""Reading torch's own file format: tensors alone, and nothing that runs."""

import pickle
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from sirene_shared.errors import ModelDamaged


def load(path: Path) -> dict[str, Tensor]:
    """Raises: ModelDamaged."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise _damaged(path) from error
    if not isinstance(found, dict) or not all(isinstance(each, Tensor) for each in found.values()):
        raise _damaged(path)
    return found


def _damaged(path: Path) -> ModelDamaged:
    return ModelDamaged(
        f"{path.name!r} is missing, or holds no weights alone, or was cut",
        hint="Delete the model and pull it again.",
    )
