"""Answers about ourselves: our settings, and the token for the hub."""

import asyncio
import logging
from urllib.parse import urlsplit

from sirene_downloader.hub_token import HubToken
from sirene_downloader.limits import CurrentLimits
from sirene_downloader.pull import Workshop
from sirene_downloader.request import Client
from sirene_downloader.settings import Settings
from sirene_shared import __version__, logs
from sirene_shared.errors import InvalidRequest
from sirene_shared.inquiries import TOKEN, Setup, TokenCheck, TokenReply, TokenRequest

log = logging.getLogger(__name__)

WHO_AM_I = "/api/whoami-v2"
HUB_S = 10.0


class Reception:
    def __init__(
        self,
        workshop: Workshop,
        client: Client,
        token: HubToken,
        settings: Settings,
        limits: CurrentLimits,
        replica: str,
    ) -> None:
        self._work = workshop
        self._client = client
        self._token = token
        self._settings = settings
        self._limits = limits
        self._replica = replica

    async def tell(self) -> Setup:
        """What is in force; hosts only, and no secret."""
        await self._work.on_disk(self._token.refresh)
        chosen = self._settings
        return Setup(
            writer=self._work.staging.writer,
            replica=self._replica,
            version=__version__,
            endpoint=_host(chosen.hf_endpoint),
            mirrors=tuple(map(_host, chosen.mirror_list)),
            offline=chosen.hf_hub_offline,
            token=self._token.source,
            limits=self._limits.now,
            own_limits=chosen.limits(),
            pull_hours=chosen.pull_hours,
            keep_parts_h=chosen.keep_parts_h,
        )

    async def take_token(self, asked: TokenRequest) -> TokenReply:
        """Raises: InvalidRequest, VolumeUnwritable."""
        work, check = self._work, TokenCheck.UNKNOWN
        if asked.action != "clear" and not TOKEN.fullmatch(asked.token):
            raise InvalidRequest("that is no token: it has spaces, or is too long", param="token")
        logs.mask(asked.token)
        if asked.action == "check":
            check = await self._check(asked.token)
        elif asked.action == "keep":
            await work.on_disk(self._token.keep, asked.token)
            log.info("a token for the hub was stored")
        else:
            await work.on_disk(self._token.clear)
            log.info("the stored token for the hub was removed")
        return TokenReply(writer=work.staging.writer, check=check, source=self._token.source)

    async def _check(self, token: str) -> TokenCheck:
        if self._settings.hf_hub_offline:
            return TokenCheck.UNKNOWN
        url = self._settings.hf_endpoint.rstrip("/") + WHO_AM_I
        asking = asyncio.create_task(self._client.status_with(url, token))
        await asyncio.wait({asking}, timeout=HUB_S)
        if not asking.done():
            asking.cancel()
            return TokenCheck.UNKNOWN
        match asking.result():
            case 200:
                return TokenCheck.ACCEPTED
            case 401 | 403:
                return TokenCheck.REFUSED
        return TokenCheck.UNKNOWN  # a mirror knows nobody


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
