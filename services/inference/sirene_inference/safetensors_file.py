"""Reading a safetensors file that came from elsewhere."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sirene_shared.errors import ModelDamaged


def load(path: Path) -> dict[str, Tensor]:
    """Raises: ModelDamaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelDamaged(
            f"{path.name!r} is missing, or is no safetensors file, or was cut",
            hint="Delete the model and pull it again.",
        ) from error
