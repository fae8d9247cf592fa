"""The contract of a backend: what a file in this folder offers so that a model can speak.

A backend is a module with `load`; a manifest names it by the name of its file. It runs inside a
runner process, on threads, and knows neither the bus nor the settings. A new backend is one file
here and one manifest.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast

from sirene_inference.cancellation import Cancellation
from sirene_shared.errors import BackendMissing
from sirene_shared.manifest import Manifest

if TYPE_CHECKING:  # the service lists backends without loading numpy
    import numpy
    from numpy.typing import NDArray

Audio: TypeAlias = "NDArray[numpy.float32]"
"""Mono samples, nominally in [-1, 1]."""
Device = Literal["auto", "cpu", "cuda"]


class Voice(Protocol):
    """A loaded model. `speak` may run on several threads at a time."""

    sample_rate: int
    voices: tuple[str, ...]
    """What `voice` may be; the first one is meant by an empty name."""
    device: str
    """The device that is really used."""

    def speak(
        self,
        text: str,
        *,
        voice: str,
        language: str,
        speed: float,
        seed: int | None,
        cancelled: Cancellation,
    ) -> Iterator[Audio]:
        """Pieces, each as soon as it is made, the first one early; stops once `cancelled` is set.

        Raises: InvalidRequest (nothing to speak), VoiceNotFound, SpeechFailed.
        """

    def rest(self) -> None:
        """Give back the memory that speeches took and the model needs not: the next one takes it
        anew. Speeches may run meanwhile."""

    def close(self) -> None: ...


class Backend(Protocol):
    def load(
        self,
        files: Mapping[str, Path],
        manifest: Manifest,
        variant: str,
        *,
        device: Device,
        threads: int,
    ) -> Voice:
        """files: path in the variant's directory -> file. Raises: ModelDamaged, LoadFailed."""


def names() -> tuple[str, ...]:
    """The backends there are, loaded or not."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find(name: str) -> Backend:
    """Raises: BackendMissing."""
    if name not in names():
        raise BackendMissing(
            f"this build has no backend {name!r}", hint=f"It has: {', '.join(names())}."
        )
    try:
        return cast("Backend", importlib.import_module(f"{__name__}.{name}"))
    except ImportError as error:
        raise BackendMissing(
            f"the backend {name!r} lacks a library: {error.name or 'unknown'}",
            hint="Install the extra of sirene-inference that brings it.",
        ) from error
