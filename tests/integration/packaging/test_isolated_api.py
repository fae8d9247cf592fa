"""The API installs and starts where there is neither torch, onnxruntime nor numpy."""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")
PORT_PROBE = (
    "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
)
ABSENT = "import importlib.util as u; print([m for m in {modules} if u.find_spec(m)])"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the API and what it declares, at the locked versions."""
    folder = tmp_path_factory.mktemp("isolated")
    environment = folder / "venv"
    environ = os.environ | {"VIRTUAL_ENV": str(environment)}
    for command in (
        ["venv", "--quiet", environment],
        ["pip", "install", "--quiet", "--constraint", "requirements.lock",
         "--build-constraints", "requirements-build.lock", "./shared", "./services/api"],
    ):  # fmt: skip
        subprocess.run([UV, *command], cwd=ROOT, env=environ, check=True, timeout=300)
    return environment / "bin" / "python"


def test_no_engine_comes_along(python: Path) -> None:
    modules = ["torch", "onnxruntime", "numpy", "huggingface_hub", "faststream"]
    probe = ABSENT.format(modules=modules)
    assert subprocess.check_output([python, "-c", probe], text=True).strip() == "[]"


async def test_it_starts_and_lives_without_a_bus(python: Path, tmp_path: Path) -> None:
    port = subprocess.check_output([python, "-c", PORT_PROBE], text=True).strip()
    environ = {
        "PATH": os.environ["PATH"],
        "SIRENE_PORT": port,
        "SIRENE_MANIFESTS_PATH": str(ROOT / "manifests"),
        "NATS_URL": "nats://127.0.0.1:1",
    }
    process = subprocess.Popen(
        [python, "-m", "sirene_api"], env=environ, cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    try:
        await until(lambda: answers(f"http://127.0.0.1:{port}/api/health/live"), within_s=30)
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
