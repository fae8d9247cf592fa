"""Settings from the environment: each field of a frozen Struct names its variable and its help.

    class Settings(msgspec.Struct, frozen=True, kw_only=True):
        port: Annotated[int, Env("SIRENE_PORT", help="the API's port")] = 8080

`read(Settings, os.environ)` is called once, in main(); no module reads the environment itself.
"""

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from sirene_shared.errors import InvalidRequest

Settings = TypeVar("Settings", bound=msgspec.Struct)


class Env:
    """The variables that set a field, the first one set wins; later ones are older names."""

    def __init__(self, *names: str, help: str, secret: bool = False) -> None:
        self.names = names
        self.help = help
        self.secret = secret


class Setting(NamedTuple):
    """One row of the settings table."""

    field: str
    names: tuple[str, ...]
    help: str
    default: Any
    secret: bool


# Bytes as people write them: 512MB, 4GiB.
UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
UNITS |= {f"{unit}i": 1024**power for power, unit in enumerate("kmgt", start=1)}


def describe(kind: type[msgspec.Struct]) -> Iterator[Setting]:
    """Every setting of `kind`, for tables and --help."""
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        for extra in get_args(hints[field.name]):
            if isinstance(extra, Env):
                yield Setting(field.name, extra.names, extra.help, field.default, extra.secret)


def read(kind: type[Settings], environ: Mapping[str, str]) -> Settings:
    """Fill `kind` from `environ`; an empty variable counts as unset.

    Raises: InvalidRequest naming the variable, its value (unless secret) and what is wrong.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for setting in describe(kind):
        found = next((name for name in setting.names if environ.get(name, "").strip()), None)
        if found is None:
            continue
        text = environ[found].strip()
        try:
            values[setting.field] = _convert(text, hints[setting.field])
        except (ValueError, msgspec.ValidationError) as error:
            shown = "its value" if setting.secret else repr(text)
            raise InvalidRequest(f"{found}: {shown} does not fit: {error}", param=found) from None
    return kind(**values)


def _convert(text: str, kind: Any) -> Any:
    if get_origin(kind) in (types.UnionType, Annotated):
        options = [option for option in get_args(kind) if option is not type(None)]
        return _convert(text, options[0])
    if kind is Path:
        return Path(text).expanduser()
    return msgspec.convert(text, kind, strict=False)


def parse_bytes(text: str) -> int:
    """`1500`, `512MB`, `4GiB` -> bytes. Raises: ValueError."""
    number = text.strip().lower().removesuffix("b")
    digits = number.rstrip("kmgti")
    unit = number[len(digits) :].strip()
    if unit not in UNITS:
        raise ValueError(f"{text!r} is no size: write bytes, or for example 512MB or 4GiB")
    return int(float(digits) * UNITS[unit])


def repository_folder(name: str) -> Path:
    """A folder of the source tree, for a checkout; images set the variable instead."""
    return Path(__file__).resolve().parents[2] / name


class BusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service needs to find the bus."""

    nats_url: Annotated[str, Env("NATS_URL", help="NATS server to use", secret=True)] = (
        "nats://127.0.0.1:4222"
    )
    log_format: Annotated[str, Env("SIRENE_LOG_FORMAT", help="`text` or `json`")] = "text"
    log_level: Annotated[str, Env("SIRENE_LOG_LEVEL", help="`debug`, `info` or `warning`")] = "info"
