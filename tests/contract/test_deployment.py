"""compose.yaml and the Dockerfile: valid, and as locked down as the docs say.

Docker itself runs in no test: this is everything up to it.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sirene_api.settings import Settings as ApiSettings
from sirene_downloader.settings import Settings as DownloaderSettings
from sirene_inference.settings import Settings as InferenceSettings
from sirene_shared.settings import describe

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SETTINGS = {
    "api": ApiSettings,
    "downloader": DownloaderSettings,
    "inference": InferenceSettings,
    "inference-gpu": InferenceSettings,
}
# Read by huggingface_hub itself in every process that has it, as a second wall.
ALWAYS_MEANT = {"HF_HUB_OFFLINE"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return content


def test_compose_fits_the_compose_schema() -> None:
    check = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    result = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_dockerfile_passes_its_lint() -> None:
    hadolint = shutil.which("hadolint", path=BIN) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint for this platform")
    result = subprocess.run(
        [hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def test_only_the_downloader_may_write_models_and_the_api_has_none(compose: dict[str, Any]) -> None:
    mounts = {name: service.get("volumes", []) for name, service in compose["services"].items()}
    assert mounts["downloader"] == ["sirene-models:/data/models"]
    assert mounts["inference"] == mounts["inference-gpu"]
    assert mounts["inference"] == ["sirene-models:/data/models:ro", "sirene-cache:/data/cache"]
    assert mounts["api"] == []
    assert compose["volumes"]["sirene-models"]["name"] == "sirene-models"


def test_only_the_downloader_reaches_out_and_only_the_api_is_published(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert compose["networks"]["bus"] == {"internal": True}
    assert [name for name, service in services.items() if "ports" in service] == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in services["api"]["ports"])
    out = [name for name, service in services.items() if "egress" in service["networks"]]
    assert out == ["downloader"]


def test_every_container_is_read_only_without_privileges(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 65532", dockerfile, re.MULTILINE)


def test_every_container_has_a_health_check(compose: dict[str, Any]) -> None:
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    for name in ("nats", "api"):
        assert compose["services"][name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_variable_that_compose_sets_is_a_setting(compose: dict[str, Any], name: str) -> None:
    known = {env for setting in describe(SETTINGS[name]) for env in setting.names}
    assert set(compose["services"][name]["environment"]) <= known | ALWAYS_MEANT


def test_the_server_of_compose_writes_before_it_acknowledges(compose: dict[str, Any]) -> None:
    assert "sync_interval: always" in compose["configs"]["nats"]["content"]
