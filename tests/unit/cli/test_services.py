"""Which processes Sirene consists of, and what each is told."""

from pathlib import Path

import pytest

from sirene_cli.failures import CliError
from sirene_cli.up import services
from sirene_cli.up.plan import Plan

ENVIRON = {"HF_TOKEN": "hf_secret", "PATH": "/bin", "INFERENCE_MAX_LOADED_MODELS": "3"}


def environs() -> dict[str, dict[str, str]]:
    plan = Plan(
        data=Path("/srv"),
        models=Path("/srv/models"),
        services=("downloader", "inference", "api"),
        environ=ENVIRON,
    )
    made = services.product(
        plan, nats_url="nats://127.0.0.1:1", url="http://127.0.0.1:8081", token="hf_secret"
    )
    return {service.name: dict(service.environ) for service in made}


def test_every_service_is_told_where_the_bus_and_the_models_are() -> None:
    for environ in environs().values():
        assert environ["NATS_URL"] == "nats://127.0.0.1:1"
        assert environ["SIRENE_MODELS_PATH"] == "/srv/models"
        assert environ["INFERENCE_MAX_LOADED_MODELS"] == "3"


def test_the_token_is_for_the_downloader_alone() -> None:
    having = [name for name, environ in environs().items() if "HF_TOKEN" in environ]
    assert having == ["downloader"]


def test_the_api_is_told_its_address_and_inference_to_stay_off_the_hub() -> None:
    made = environs()
    assert (made["api"]["SIRENE_HOST"], made["api"]["SIRENE_PORT"]) == ("127.0.0.1", "8081")
    assert made["inference"]["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in made["downloader"]


def test_a_token_is_found_where_the_hubs_own_tools_find_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hf_file\n")
    assert services.hub_token({"HF_HOME": str(tmp_path)}) == "hf_file"
    assert services.hub_token({"HF_TOKEN_PATH": str(tmp_path / "token")}) == "hf_file"
    assert services.hub_token({"HF_TOKEN": "hf_env", "HF_HOME": str(tmp_path)}) == "hf_env"
    assert services.hub_token({"HF_HOME": str(tmp_path / "none")}) == ""


def test_a_service_that_is_not_installed_is_named() -> None:
    with pytest.raises(CliError, match="'translator' is not installed"):
        services.check_installed(("translator",))
