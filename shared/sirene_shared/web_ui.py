"""Where the web UI's build lies, or why there is none.

The package `sirene_web` holds it, and nobody imports that:

    sirene_web/static/index.html, assets/…      what Vite made
    sirene_web/not_built.txt                    instead of it: why it could not be made
"""

import importlib.util
from pathlib import Path
from typing import NamedTuple

PACKAGE = "sirene_web"
BUILD_COMMAND = "uv pip install --no-deps --reinstall-package sirene-web -e web"
SWITCHED_OFF = "it is switched off (SIRENE_UI, --no-ui)"
MAX_REASON = 300


class Missing(NamedTuple):
    """There is no web UI."""

    reason: str
    """In one line."""
    can_be_built: bool = True
    """BUILD_COMMAND helps."""


def find() -> Path | Missing:
    """The folder with the build."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        return Missing("the package sirene-web is not installed")
    return look(Path(folders[0]))


def look(package: Path) -> Path | Missing:
    """The build in the folder of the package."""
    built = package / "static"
    if (built / "index.html").is_file():
        return built
    try:
        text = (package / "not_built.txt").read_text("utf-8", errors="replace")
    except OSError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return Missing(lines[0][:MAX_REASON] if lines else "it was not built")
