"""Where the data lie."""

from pathlib import Path

import pytest

from sirene_cli import folders


@pytest.mark.parametrize(
    ("environ", "data"),
    [
        ({"SIRENE_DATA": "/srv/sirene", "XDG_DATA_HOME": "/xdg"}, Path("/srv/sirene")),
        ({"SIRENE_DATA": " ", "XDG_DATA_HOME": "/xdg"}, Path("/xdg/sirene")),
        ({"XDG_DATA_HOME": "relative"}, Path.home() / ".local/share/sirene"),
        ({}, Path.home() / ".local/share/sirene"),
        ({"SIRENE_DATA": "here"}, Path.cwd() / "here"),
        ({"SIRENE_DATA": "~/there"}, Path.home() / "there"),
    ],
)
def test_data_lie_where_the_environment_says(environ: dict[str, str], data: Path) -> None:
    assert folders.default_data(environ) == data


def test_models_lie_under_the_data_unless_told_otherwise() -> None:
    data = Path("/srv/sirene")
    assert folders.models(data, {}) == data / "models"
    assert folders.models(data, {"INFERENCE_MODELS_PATH": "/a"}) == Path("/a")
    both = {"INFERENCE_MODELS_PATH": "/a", "SIRENE_MODELS_PATH": "/b"}
    assert folders.models(data, both) == Path("/b")


def test_a_path_is_shown_from_home() -> None:
    assert folders.shown(Path.home() / "x") == "~/x"
    assert folders.shown(Path("/srv")) == "/srv"
