"""Which onnxruntime is installed: two distributions bring the same module, and only one may."""

from collections.abc import Iterable
from importlib import metadata

from sirene_shared.errors import BackendMissing

DISTRIBUTIONS = frozenset({"onnxruntime", "onnxruntime-gpu"})


def check(installed: Iterable[str] | None = None) -> str:
    """The one that is installed. installed: names of distributions, else those of this Python.

    Raises: BackendMissing when there is none, or two that overwrite each other.
    """
    if installed is None:
        installed = (distribution.name for distribution in metadata.distributions())
    found = sorted(DISTRIBUTIONS & {name.lower().replace("_", "-") for name in installed})
    if not found:
        raise BackendMissing(
            "onnxruntime is not installed",
            hint="Install sirene-inference[cpu], or sirene-inference[gpu].",
        )
    if len(found) > 1:
        raise BackendMissing(
            f"{' and '.join(found)} are both installed and overwrite each other",
            hint=f"Uninstall both ({', '.join(found)}), then install one extra: cpu or gpu.",
        )
    return found[0]
