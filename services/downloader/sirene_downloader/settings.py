"""What the downloader can be told by the environment."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from sirene_downloader.hours import Hours
from sirene_downloader.origins import (
    HUB_ORIGINS,
    Pattern,
    Policy,
    pattern_of,
    patterns,
    plain_sources,
)
from sirene_downloader.proxies import Proxies
from sirene_shared.errors import InvalidRequest, OriginRefused
from sirene_shared.messages import PullLimits
from sirene_shared.settings import BusSettings, Env, parse_bytes, repository_folder

PUBLIC_HUB = "https://huggingface.co"
# The replica's name becomes a folder and part of the lease's holder.
REPLICA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
MAX_PULLS = 32
MAX_CONNECTIONS = 64


class Settings(BusSettings, frozen=True, kw_only=True):
    models_path: Annotated[
        Path, Env("SIRENE_MODELS_PATH", "INFERENCE_MODELS_PATH", help="where the models lie")
    ] = Path("/data/models")
    manifests_path: Annotated[
        Path, Env("SIRENE_MANIFESTS_PATH", help="where the manifests lie")
    ] = repository_folder("manifests")
    hf_endpoint: Annotated[
        str, Env("HF_ENDPOINT", help="a mirror to use instead of https://huggingface.co")
    ] = PUBLIC_HUB
    hf_token: Annotated[
        str, Env("HF_TOKEN", help="token for gated models, sent to the hub alone", secret=True)
    ] = ""
    mirrors: Annotated[
        str,
        Env("SIRENE_MIRRORS", help="more origins, with commas, asked in order after HF_ENDPOINT"),
    ] = ""
    allowed_origins: Annotated[
        str,
        Env("SIRENE_ALLOWED_ORIGINS", help="hosts that files may come from, with commas"),
    ] = ",".join(HUB_ORIGINS)
    private_origins: Annotated[
        str,
        Env("SIRENE_PRIVATE_ORIGINS", help="hosts that may lie in your own network, with commas"),
    ] = ""
    http_proxy: Annotated[
        str, Env("http_proxy", "HTTP_PROXY", help="proxy for http", secret=True)
    ] = ""
    https_proxy: Annotated[
        str, Env("https_proxy", "HTTPS_PROXY", help="proxy for https", secret=True)
    ] = ""
    all_proxy: Annotated[
        str, Env("all_proxy", "ALL_PROXY", help="proxy where none of the two is set", secret=True)
    ] = ""
    no_proxy: Annotated[
        str, Env("no_proxy", "NO_PROXY", help="hosts that are asked directly, with commas")
    ] = ""
    hf_hub_offline: Annotated[bool, Env("HF_HUB_OFFLINE", help="1: never ask the hub")] = False
    pulls: Annotated[int, Env("SIRENE_PULLS", help="how many models are pulled at a time")] = 2
    max_rate: Annotated[
        str, Env("SIRENE_MAX_RATE", help="bytes a second of all pulls, e.g. `5MB`; empty: no limit")
    ] = ""
    connections: Annotated[
        int, Env("SIRENE_CONNECTIONS", help="how many connections to one host at most")
    ] = 16
    pull_hours: Annotated[
        str,
        Env(
            "SIRENE_PULL_HOURS",
            help="when pulls run, local time, e.g. `22:00-06:00`; empty: always",
        ),
    ] = ""
    keep_parts_h: Annotated[
        int,
        Env(
            "SIRENE_KEEP_PARTS",
            help="hours that what came of an unfinished pull is kept, since its last byte",
        ),
    ] = 72
    replica: Annotated[
        str, Env("SIRENE_REPLICA_ID", help="name of this replica; empty: the host's name")
    ] = ""

    def __post_init__(self) -> None:
        if not 1 <= self.pulls <= MAX_PULLS:
            raise InvalidRequest(f"SIRENE_PULLS is a number from 1 to {MAX_PULLS}")
        if not 1 <= self.connections <= MAX_CONNECTIONS:
            raise InvalidRequest(f"SIRENE_CONNECTIONS is a number from 1 to {MAX_CONNECTIONS}")
        Hours.parse(self.pull_hours)
        self.limits()
        if self.keep_parts_h < 0:
            raise InvalidRequest("SIRENE_KEEP_PARTS is a number of hours, 0 or more")
        if self.replica and not REPLICA_NAME.fullmatch(self.replica):
            raise InvalidRequest("SIRENE_REPLICA_ID has letters, digits, '.', '_' and '-'")
        if not self.hf_endpoint.startswith(("https://", "http://")):
            raise InvalidRequest("HF_ENDPOINT is a URL: https://…")
        self.policy([])
        _ = self.proxies

    def limits(self) -> PullLimits:
        """What counts until somebody changes it. Raises: InvalidRequest."""
        try:
            max_rate = parse_bytes(self.max_rate) if self.max_rate else 0
        except ValueError as error:
            raise InvalidRequest(f"SIRENE_MAX_RATE: {error}") from None
        if max_rate < 0:
            raise InvalidRequest("SIRENE_MAX_RATE is not below 0")
        return PullLimits(pulls=self.pulls, max_rate=max_rate, connections=self.connections)

    @property
    def mirror_list(self) -> tuple[str, ...]:
        found = (each.strip().rstrip("/") for each in self.mirrors.split(","))
        return tuple(dict.fromkeys(each for each in found if each))

    @property
    def proxies(self) -> Proxies:
        """Raises: InvalidRequest."""
        return Proxies(
            http=self.http_proxy,
            https=self.https_proxy,
            all=self.all_proxy,
            no_proxy=self.no_proxy,
        )

    def policy(self, sources: Iterable[str]) -> Policy:
        """sources: URLs of the manifests, allowed at public addresses only.

        Raises: InvalidRequest.
        """
        own = {"HF_ENDPOINT": (self.hf_endpoint,), "SIRENE_MIRRORS": self.mirror_list}
        configured = [_configured(url, setting) for setting, urls in own.items() for url in urls]
        # The public hub is nobody's own network, even when it is named again.
        public = pattern_of(PUBLIC_HUB)
        return Policy(
            allowed=(
                *patterns(self.allowed_origins, "SIRENE_ALLOWED_ORIGINS"),
                *configured,
                *plain_sources(sources),
            ),
            private=(
                *patterns(self.private_origins, "SIRENE_PRIVATE_ORIGINS"),
                *(each for each in configured if each != public),
            ),
        )


def _configured(url: str, setting: str) -> Pattern:
    try:
        return pattern_of(url)
    except OriginRefused:
        raise InvalidRequest(
            f"{setting} has something that is no plain URL",
            hint="Write https://host or https://host:port/path, without a user or password.",
            param=setting,
        ) from None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a pull waits and how often it tries; fixed, apart from tests."""

    connect_s: float = 10.0
    headers_s: float = 30.0
    # A slow but steady transfer is never cut: only one that brings no byte at all for this long.
    stall_s: float = 30.0
    attempts: int = 6
    """Interruptions in a row, without a byte between them, until a pull fails."""
    backoff_s: float = 0.5
    backoff_max_s: float = 20.0
    retry_after_max_s: float = 120.0
    """A hub that asks for more patience than this fails the pull."""
