"""What is checked before the service begins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sirene_inference import backends, engines
from sirene_inference.environment import environment
from sirene_inference.settings import Settings
from sirene_shared import settings
from sirene_shared.errors import BackendMissing, InvalidRequest


def test_exactly_one_onnxruntime_is_installed() -> None:
    assert engines.check() == "onnxruntime"
    assert engines.check(["numpy", "onnxruntime_gpu"]) == "onnxruntime-gpu"
    for installed in ([], ["onnxruntime", "onnxruntime-gpu"]):
        with pytest.raises(BackendMissing) as caught:
            engines.check(installed)
        assert "cpu" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INFERENCE_MAX_LOADED_MODELS", "0"),
        ("INFERENCE_MAX_LOADED_MODELS", "many"),
        ("INFERENCE_DEVICE", "tpu"),
        ("SIRENE_REPLICA_ID", "a b"),
        ("SIRENE_REPLICA_ID", "a..b"),
        ("INFERENCE_CONCURRENCY", "0"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=name):
        settings.read(Settings, {name: value})


def test_either_name_of_the_volume_is_read() -> None:
    for name in ("SIRENE_MODELS_PATH", "INFERENCE_MODELS_PATH"):
        assert str(settings.read(Settings, {name: "/models"}).models_path) == "/models"


def test_a_runner_inherits_nothing_secret() -> None:
    kept = environment(
        {
            "PATH": "/bin",
            "HF_TOKEN": "s",
            "NATS_URL": "s",
            "CUDA_VISIBLE_DEVICES": "0",
            "AWS_KEY": "s",
        }
    )
    assert "s" not in kept.values()
    assert kept["PATH"] == "/bin"
    assert kept["CUDA_VISIBLE_DEVICES"] == "0"
    assert kept["HF_HUB_OFFLINE"] == kept["TRANSFORMERS_OFFLINE"] == "1"


def test_onnxruntime_tells_nobody_what_it_loads(tmp_path: Path) -> None:
    """Its telemetry writes below the user's folder before it sends; neither may happen."""
    environ = environment({**os.environ, "HOME": str(tmp_path)})
    code = "import onnxruntime, os; print(len(os.listdir('/proc/self/task')))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=environ | {"OPENBLAS_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == "1", "a thread of the engine's own"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_backend_is_said_to_be_missing() -> None:
    for name in ("unheard_of", "os", "..piper"):
        with pytest.raises(BackendMissing, match="has no backend"):
            backends.find(name)
