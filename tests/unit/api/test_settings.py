"""The API's settings."""

import pytest

from sirene_api.settings import Settings
from sirene_shared.errors import InvalidRequest
from sirene_shared.settings import describe, read


def test_the_api_listens_on_loopback_unless_told_otherwise() -> None:
    settings = read(Settings, {})
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.host_names == frozenset()
    assert settings.load_wait_s < 30  # clients give up then


def test_host_names_are_split_at_commas() -> None:
    settings = read(Settings, {"SIRENE_ALLOWED_HOSTS": " Sirene.lan, box ,,"})
    assert settings.host_names == {"sirene.lan", "box"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIRENE_PORT", "many"),
        ("SIRENE_LOAD_WAIT", "30"),
        ("SIRENE_LOAD_WAIT", "0"),
        ("SIRENE_LOAD_WAIT", "nan"),
        ("SIRENE_UNLOAD_WAIT", "-1"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(Settings, {name: value})
    assert refused.value.param == name


def test_every_setting_has_a_name_and_a_help() -> None:
    for setting in describe(Settings):
        assert setting.help
        assert all(name.isupper() for name in setting.names)
