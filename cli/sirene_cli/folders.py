"""Where `sirene up` keeps its data, which is also where the other commands look for its address."""

from collections.abc import Mapping
from pathlib import Path


def default_data(environ: Mapping[str, str]) -> Path:
    """SIRENE_DATA, else `sirene` in the user's data directory (XDG_DATA_HOME, ~/.local/share)."""
    if chosen := environ.get("SIRENE_DATA", "").strip():
        return Path(chosen).expanduser().absolute()
    shared = environ.get("XDG_DATA_HOME", "").strip()
    # The XDG specification: a relative path is to be ignored.
    base = Path(shared) if shared.startswith("/") else Path("~/.local/share").expanduser()
    return base / "sirene"


def models(data: Path, environ: Mapping[str, str]) -> Path:
    """Where the models lie: what the services' own variable says, else under `data`."""
    for name in ("SIRENE_MODELS_PATH", "INFERENCE_MODELS_PATH"):
        if chosen := environ.get(name, "").strip():
            return Path(chosen).expanduser().absolute()
    return data / "models"


def shown(path: Path) -> str:
    """`path` as people write it, with ~ for the home directory."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
