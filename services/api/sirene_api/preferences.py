"""What is in force, of every service there is; and the token for the hub."""

from sirene_api.catalog import Catalog
from sirene_api.downloaders import Downloaders, first_error, nobody
from sirene_api.settings_answers import (
    DeviceSetting,
    DownloaderSettings,
    FlagSetting,
    HubSettings,
    KeepAliveSetting,
    LimitSetting,
    ListSetting,
    MemorySetting,
    NumberSetting,
    ReplicaSettings,
    SettingsView,
    TextSetting,
    TokenAnswer,
    TokenCleared,
    TokenSetting,
)
from sirene_shared import __version__
from sirene_shared.inquiries import (
    Setup,
    SetupRequest,
    TokenCheck,
    TokenReply,
    TokenRequest,
    TokenSource,
)
from sirene_shared.messages import ReplicaStatus
from sirene_shared.subjects import SETUP, TOKEN

# A token is asked about at the hub, which may be slow.
TOKEN_S = 15.0


class Preferences:
    def __init__(self, catalog: Catalog, downloaders: Downloaders) -> None:
        self._catalog = catalog
        self._downloaders = downloaders

    async def view(self) -> SettingsView:
        """Without a downloader there are none in it. Raises: BusUnavailable."""
        told = await self._downloaders.ask_all(SETUP, SetupRequest(), Setup)
        replicas = self._catalog.replicas.values()
        return SettingsView(
            version=__version__,
            downloaders=[
                _downloader(each)
                for each in sorted(told, key=lambda each: each.writer)
                if each.error is None
            ],
            replicas=[
                _replica(each) for each in sorted(replicas, key=lambda replica: replica.replica)
            ],
        )

    async def keep_token(self, token: str) -> TokenAnswer:
        """Ask the hub about it, and keep it unless that refuses it: on the volume of each
        downloader.

        Raises: BusUnavailable, VolumeUnwritable.
        """
        checked = await self._tell(TokenRequest(action="check", token=token))
        checks = {each.check for each in checked}
        if TokenCheck.REFUSED in checks and TokenCheck.ACCEPTED not in checks:
            return TokenAnswer(verdict=TokenCheck.REFUSED, kept=False, source=_source(checked))
        kept = await self._tell(TokenRequest(action="keep", token=token))
        verdict = TokenCheck.ACCEPTED if TokenCheck.ACCEPTED in checks else TokenCheck.UNKNOWN
        return TokenAnswer(verdict=verdict, kept=True, source=_source(kept))

    async def clear_token(self) -> TokenCleared:
        """The environment's counts again. Raises: BusUnavailable, VolumeUnwritable."""
        return TokenCleared(source=_source(await self._tell(TokenRequest(action="clear"))))

    async def _tell(self, request: TokenRequest) -> list[TokenReply]:
        """The good answers. Raises: what the first downloader met, if none could do it."""
        told = await self._downloaders.ask_all(TOKEN, request, TokenReply, within_s=TOKEN_S)
        good = [each for each in told if each.error is None]
        if not told:
            raise nobody()
        if not good:
            raise first_error(each.error for each in told)
        return good


def _source(replies: list[TokenReply]) -> TokenSource:
    sources = [each.source for each in replies]
    return next((each for each in TokenSource if each in sources), TokenSource.NONE)


def _downloader(told: Setup) -> DownloaderSettings:
    def limit(name: str, variable: str) -> LimitSetting:
        now, own = getattr(told.limits, name) or 0, getattr(told.own_limits, name) or 0
        return LimitSetting(value=now, own=own, variable=variable)

    return DownloaderSettings(
        replica=told.replica,
        writer=told.writer,
        version=told.version,
        hub=HubSettings(
            endpoint=TextSetting(value=told.endpoint, variable="HF_ENDPOINT"),
            mirrors=ListSetting(values=list(told.mirrors), variable="SIRENE_MIRRORS"),
            offline=FlagSetting(value=told.offline, variable="HF_HUB_OFFLINE"),
            token=TokenSetting(source=told.token, variable="HF_TOKEN"),
        ),
        pulls=limit("pulls", "SIRENE_PULLS"),
        max_rate=limit("max_rate", "SIRENE_MAX_RATE"),
        connections=limit("connections", "SIRENE_CONNECTIONS"),
        hours=TextSetting(value=told.pull_hours, variable="SIRENE_PULL_HOURS"),
        keep_parts_h=NumberSetting(value=told.keep_parts_h, variable="SIRENE_KEEP_PARTS"),
    )


def _replica(status: ReplicaStatus) -> ReplicaSettings:
    return ReplicaSettings(
        replica=status.replica,
        host=status.host,
        version=status.version,
        device=DeviceSetting(
            value=status.wanted_device, in_use=status.device, variable="INFERENCE_DEVICE"
        ),
        max_loaded_models=NumberSetting(
            value=status.max_loaded_models, variable="INFERENCE_MAX_LOADED_MODELS"
        ),
        max_memory=MemorySetting(
            value=status.max_memory,
            limits=dict(status.memory_limits),
            variable="INFERENCE_MAX_MEMORY",
        ),
        keep_alive=KeepAliveSetting(seconds=status.keep_alive_s, variable="INFERENCE_KEEP_ALIVE"),
    )
