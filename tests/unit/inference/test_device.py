"""The device that is told is the one that is used, and one engine alone is installed."""

import re
import tomllib
from pathlib import Path

import pytest
import torch

from sirene_inference import torch_device
from sirene_inference.backends import f5tts
from sirene_inference.onnx_file import read_model
from sirene_inference.onnx_session import CUDA, OnnxSession
from sirene_shared.manifest import load_catalogue
from sirene_shared.settings import repository_folder
from tests.support import f5_model, piper_voice

REPOSITORY = repository_folder("manifests").parent


def test_torch_is_asked_for_its_gpu_and_tells_where_the_weights_really_lie(tmp_path: Path) -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    folder = f5_model.build(tmp_path)
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*.*")}
    manifest = load_catalogue(repository_folder("manifests"))["f5tts"]
    for asked in ("auto", "cuda"):
        voice = f5tts.load(files, manifest, "default", device=asked, threads=1)
        assert voice.device == expected
        assert voice._model.network.proj_out.weight.device.type == expected
    assert torch_device.prepare("cpu", 1).type == "cpu"


def test_onnxruntime_tells_what_its_session_runs_on(tmp_path: Path) -> None:
    path = piper_voice.build(tmp_path / "voice.onnx")
    graph = read_model(path, "voice.onnx")
    for wants_cuda in (True, False):
        session = OnnxSession(graph, "voice.onnx", wants_cuda=wants_cuda, threads=1)
        really = session._session.get_providers()
        assert session.device == ("cuda" if CUDA in really else "cpu")
        assert wants_cuda or session.device == "cpu"


def test_the_extras_of_the_two_engines_exclude_each_other() -> None:
    told = tomllib.loads((REPOSITORY / "services/inference/pyproject.toml").read_text())
    assert [{"extra": "cpu"}, {"extra": "gpu"}] in told["tool"]["uv"]["conflicts"]
    extras = told["project"]["optional-dependencies"]
    brings = {
        name for name, each in extras.items() if any(one.startswith("onnxruntime") for one in each)
    }
    assert brings == {"cpu", "gpu"}
    # Whatever else brought one along would overwrite the other extra's.
    assert not [one for one in told["project"]["dependencies"] if one.startswith("onnxruntime")]


@pytest.mark.parametrize(
    ("lock", "has", "lacks"),
    [
        ("requirements.lock", "onnxruntime", "onnxruntime-gpu"),
        ("requirements-gpu.lock", "onnxruntime-gpu", "onnxruntime"),
    ],
)
def test_each_lock_has_one_engine(lock: str, has: str, lacks: str) -> None:
    lines = (REPOSITORY / lock).read_text().splitlines()
    names = {re.split(r"[=\[]", line)[0] for line in lines}
    assert has in names
    assert lacks not in names
