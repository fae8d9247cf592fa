"""The downloader's settings from the environment."""

from pathlib import Path

import pytest

from sirene_downloader.settings import Settings
from sirene_shared.errors import InvalidRequest
from sirene_shared.settings import read


def test_the_older_name_of_the_models_path_is_read_too() -> None:
    assert read(Settings, {"INFERENCE_MODELS_PATH": "/a"}).models_path == Path("/a")
    both = {"INFERENCE_MODELS_PATH": "/a", "SIRENE_MODELS_PATH": "/b"}
    assert read(Settings, both).models_path == Path("/b")
    assert read(Settings, {}).models_path == Path("/data/models")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIRENE_PULLS", "0"),
        ("SIRENE_PULLS", "many"),
        ("SIRENE_REPLICA_ID", "../x"),
        ("HF_ENDPOINT", "mirror.local"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest):
        read(Settings, {name: value})
