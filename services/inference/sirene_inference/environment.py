"""What a runner gets to know of the service's environment."""

from collections.abc import Mapping

# What a runner inherits: no token, no address, nothing it does not need.
KEPT_VARIABLES = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
)
KEPT_PREFIXES = ("CUDA_", "NVIDIA_", "OMP_", "MKL_", "PYTHON")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` a runner gets. It never reaches a hub, whatever a library would like."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in KEPT_VARIABLES or name.startswith(KEPT_PREFIXES)
    }
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
    }
