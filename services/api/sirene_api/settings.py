"""What the API can be told by its environment."""

from pathlib import Path
from typing import Annotated

from sirene_shared.errors import InvalidRequest
from sirene_shared.settings import BusSettings, Env, repository_folder

# LiveKit and others give up reading after 30 s: an answer has to begin before that.
LONGEST_LOAD_WAIT_S = 28.0


class Settings(BusSettings, frozen=True, kw_only=True):
    host: Annotated[str, Env("SIRENE_HOST", help="address the API listens on")] = "127.0.0.1"
    port: Annotated[int, Env("SIRENE_PORT", help="port of the API; 0 takes a free one")] = 8080
    manifests_path: Annotated[
        Path, Env("SIRENE_MANIFESTS_PATH", help="folder of the model manifests")
    ] = repository_folder("manifests")
    allowed_hosts: Annotated[
        str,
        Env("SIRENE_ALLOWED_HOSTS", help="more host names that requests may use, with commas"),
    ] = ""
    load_wait_s: Annotated[
        float,
        Env("SIRENE_LOAD_WAIT", help="seconds that a request waits for a model to load"),
    ] = 25.0
    unload_wait_s: Annotated[
        float,
        Env("SIRENE_UNLOAD_WAIT", help="seconds that an unload waits for running speech"),
    ] = 30.0

    ui: Annotated[bool, Env("SIRENE_UI", help="0: no web UI, a plain page in its place")] = True

    def __post_init__(self) -> None:
        """Raises: InvalidRequest."""
        if not 0 < self.load_wait_s <= LONGEST_LOAD_WAIT_S:
            raise InvalidRequest(
                f"SIRENE_LOAD_WAIT is above 0 and at most {LONGEST_LOAD_WAIT_S:.0f} seconds",
                hint="Clients give up reading after 30 seconds.",
                param="SIRENE_LOAD_WAIT",
            )
        if not 0 <= self.unload_wait_s <= 600:
            raise InvalidRequest(
                "SIRENE_UNLOAD_WAIT is from 0 to 600 seconds", param="SIRENE_UNLOAD_WAIT"
            )

    @property
    def host_names(self) -> frozenset[str]:
        """The names in SIRENE_ALLOWED_HOSTS, lower case."""
        names = (name.strip().lower() for name in self.allowed_hosts.split(","))
        return frozenset(name for name in names if name)
