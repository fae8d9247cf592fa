"""Settings come from the environment, and a wrong one is named."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from sirene_shared.errors import InvalidRequest
from sirene_shared.settings import Env, describe, parse_bytes, read


class Example(msgspec.Struct, frozen=True, kw_only=True):
    limit: Annotated[int, Env("NEW_LIMIT", "OLD_LIMIT", help="how many")] = 2
    path: Annotated[Path, Env("SOME_PATH", help="where")] = Path("/data")
    offline: Annotated[bool, Env("OFFLINE", help="no network")] = False
    token: Annotated[str | None, Env("TOKEN", help="a secret", secret=True)] = None
    pin: Annotated[int | None, Env("PIN", help="a secret number", secret=True)] = None


def test_an_unset_or_empty_variable_leaves_the_default() -> None:
    assert read(Example, {"NEW_LIMIT": "", "TOKEN": " "}) == Example()


def test_each_variable_becomes_its_fields_type() -> None:
    environ = {"NEW_LIMIT": "5", "SOME_PATH": "/x", "OFFLINE": "1", "TOKEN": "abc"}
    assert read(Example, environ) == Example(limit=5, path=Path("/x"), offline=True, token="abc")


def test_an_older_name_is_read_and_the_newer_one_wins() -> None:
    assert read(Example, {"OLD_LIMIT": "3"}).limit == 3
    assert read(Example, {"OLD_LIMIT": "3", "NEW_LIMIT": "4"}).limit == 4


def test_a_wrong_value_is_named_but_a_secret_is_not_shown() -> None:
    with pytest.raises(InvalidRequest, match="NEW_LIMIT: 'many'"):
        read(Example, {"NEW_LIMIT": "many"})
    with pytest.raises(InvalidRequest, match="PIN: its value") as caught:
        read(Example, {"PIN": "hunter2"})
    assert "hunter2" not in caught.value.message


def test_the_settings_describe_themselves() -> None:
    rows = {setting.field: setting for setting in describe(Example)}
    assert rows["limit"].names == ("NEW_LIMIT", "OLD_LIMIT")
    assert rows["limit"].default == 2
    assert rows["token"].secret


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1500", 1500),
        ("1k", 1000),
        ("512MB", 512_000_000),
        ("4GiB", 4 << 30),
        ("1.5 g", 1_500_000_000),
    ],
)
def test_bytes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "many", "4XB", "1e99999", "-"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_bytes(text)
