"""What the downloader can be told by the environment."""

import re
from pathlib import Path
from typing import Annotated

import msgspec

from sirene_shared.errors import InvalidRequest
from sirene_shared.settings import BusSettings, Env, repository_folder

PUBLIC_HUB = "https://huggingface.co"
# The replica's name becomes a folder and part of the lease's holder.
REPLICA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
MAX_PULLS = 32


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
    hf_hub_offline: Annotated[bool, Env("HF_HUB_OFFLINE", help="1: never ask the hub")] = False
    pulls: Annotated[int, Env("SIRENE_PULLS", help="how many models are pulled at a time")] = 2
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
        if self.keep_parts_h < 0:
            raise InvalidRequest("SIRENE_KEEP_PARTS is a number of hours, 0 or more")
        if self.replica and not REPLICA_NAME.fullmatch(self.replica):
            raise InvalidRequest("SIRENE_REPLICA_ID has letters, digits, '.', '_' and '-'")
        if not self.hf_endpoint.startswith(("https://", "http://")):
            raise InvalidRequest("HF_ENDPOINT is a URL: https://…")


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
