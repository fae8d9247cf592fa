"""A file's tensors into a network: nothing is initialised first, and nothing is copied twice."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from sirene_inference.stopping import look
from sirene_shared.errors import ModelDamaged

Network = TypeVar("Network", bound=nn.Module)
SHOWN = 3


class Weights:
    def __init__(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """name: what messages call the file."""
        self.name = name
        self.tensors = tensors

    @classmethod
    def read(cls, path: Path, name: str, load: Callable[[Path], dict[str, Tensor]]) -> "Weights":
        """load: of the file's format. Raises: ModelDamaged."""
        return cls(name, load(path))

    def under(self, prefix: str) -> "Weights":
        """Those whose names begin with `prefix`, without it."""
        found = {
            name.removeprefix(prefix): tensor
            for name, tensor in self.tensors.items()
            if name.startswith(prefix)
        }
        return Weights(self.name, found)

    def shape(self, name: str) -> torch.Size:
        """Raises: ModelDamaged when there is no such tensor."""
        if name not in self.tensors:
            raise self.damaged(f"lacks {name!r}")
        return self.tensors[name].shape

    def fill(
        self,
        build: Callable[[], Network],
        device: torch.device,
        dtype: torch.dtype,
        *,
        as_stored: frozenset[str] = frozenset(),
    ) -> Network:
        """The network that `build` makes, with these weights, whose layers heed a cancel
        (stopping.py). Further tensors are left alone.

        as_stored: tensors that keep the file's type: those of which only few rows are ever read.
        Raises: ModelDamaged when one is missing or has another shape.
        """
        try:
            with torch.device("meta"):  # neither memory nor random numbers for what comes next
                network = build()
        except (ValueError, RuntimeError, IndexError) as error:
            raise self.damaged(f"does not fit its configuration: {error}") from error
        wanted = network.state_dict()
        missing = [name for name in wanted if name not in self.tensors]
        if missing:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            raise self.damaged(f"lacks {', '.join(missing[:SHOWN])}{more}")
        for name, tensor in wanted.items():
            if tensor.shape != self.tensors[name].shape:
                raise self.damaged(
                    f"holds {name} as {list(self.tensors[name].shape)}, not {list(tensor.shape)}"
                )
        # A copy, so that the file need not stay mapped for the sake of one tensor.
        found = {
            name: self.tensors[name].to(device, copy=True)
            if name in as_stored
            else self.tensors[name].to(device, dtype)
            for name in wanted
        }
        network.load_state_dict(found, assign=True)
        for module in network.modules():
            if isinstance(module, nn.ModuleList | nn.Sequential):
                for layer in module:
                    layer.register_forward_pre_hook(_look)
        return network.eval().requires_grad_(False)

    def damaged(self, what: str) -> ModelDamaged:
        return ModelDamaged(f"{self.name!r} {what}", hint="Delete the model and pull it again.")


def _look(layer: nn.Module, inputs: object) -> None:
    look()
