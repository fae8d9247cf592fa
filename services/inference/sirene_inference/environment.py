"""What a runner gets to know of the service's environment."""

from collections.abc import Mapping

# What a runner inherits: no token, no address, nothing it does not need.
KEPT_VARIABLES = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
)
KEPT_PREFIXES = ("CUDA_", "NVIDIA_", "OMP_", "MKL_", "PYTHON")


# onnxruntime, from 1.29 on, tells its maker which models it loads, and keeps what it could not send
# below the user's cache folder, unless it is told not to before it is imported.
SILENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` a runner gets. It reaches nobody, whatever a library would like."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in KEPT_VARIABLES or name.startswith(KEPT_PREFIXES)
    }
    return kept | SILENT | {"PYTHONUNBUFFERED": "1"}
