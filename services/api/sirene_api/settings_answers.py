"""What is in force, with the environment variable that sets each thing."""

from typing import Annotated

from msgspec import Meta

from sirene_api.views import View
from sirene_shared.inquiries import TokenCheck, TokenSource

Variable = Annotated[str, Meta(description="The environment variable that sets it.")]


class TextSetting(View, frozen=True, kw_only=True):
    value: str
    variable: Variable


class ListSetting(View, frozen=True, kw_only=True):
    values: list[str]
    variable: Variable


class FlagSetting(View, frozen=True, kw_only=True):
    value: bool
    variable: Variable


class NumberSetting(View, frozen=True, kw_only=True):
    value: int
    variable: Variable


class LimitSetting(View, frozen=True, kw_only=True):
    """Changed while Sirene runs by `PATCH /api/downloads/limits`."""

    value: Annotated[int, Meta(description="Now; of the rate, 0: no limit.")]
    own: Annotated[int, Meta(description="Of the environment.")]
    variable: Variable


class TokenSetting(View, frozen=True, kw_only=True):
    """The token itself is never told."""

    source: TokenSource
    variable: Variable


class KeepAliveSetting(View, frozen=True, kw_only=True):
    seconds: Annotated[float | None, Meta(description="-1: until room is needed; null: not told.")]
    variable: Variable


class DeviceSetting(View, frozen=True, kw_only=True):
    value: Annotated[str, Meta(description="`auto`, `cpu` or `cuda`, as it was set.")]
    in_use: str
    variable: Variable


class MemorySetting(View, frozen=True, kw_only=True):
    value: Annotated[str, Meta(description="As it was set: `auto`, `8GiB`, `75%`, …")]
    limits: Annotated[dict[str, int], Meta(description="What that is in bytes, by device.")]
    variable: Variable


class HubSettings(View, frozen=True, kw_only=True):
    """Hosts, without what may stand in front of or behind them."""

    endpoint: TextSetting
    mirrors: ListSetting
    offline: FlagSetting
    token: TokenSetting


class DownloaderSettings(View, frozen=True, kw_only=True):
    replica: str
    writer: Annotated[str, Meta(description="As `GET /api/storage` names it.")]
    version: str
    hub: HubSettings
    pulls: LimitSetting
    max_rate: LimitSetting
    connections: LimitSetting
    hours: Annotated[TextSetting, Meta(description="When pulls run; empty: always.")]
    keep_parts_h: NumberSetting


class ReplicaSettings(View, frozen=True, kw_only=True):
    replica: str
    host: str
    version: str
    device: DeviceSetting
    max_loaded_models: NumberSetting
    max_memory: MemorySetting
    keep_alive: KeepAliveSetting


class SettingsView(View, frozen=True, kw_only=True):
    version: Annotated[str, Meta(description="Of the API.")]
    downloaders: list[DownloaderSettings]
    replicas: list[ReplicaSettings]


class TokenAnswer(View, frozen=True, kw_only=True):
    verdict: Annotated[
        TokenCheck, Meta(description="What the hub says to it; `unknown`: it could not be asked.")
    ]
    kept: Annotated[bool, Meta(description="All but a refused one is.")]
    source: Annotated[TokenSource, Meta(description="Of the token that is used now.")]


class TokenCleared(View, frozen=True, kw_only=True):
    source: Annotated[TokenSource, Meta(description="Of the token that is used now.")]
