"""What inference can be told by the environment."""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Literal

from sirene_inference.limits import parse_limits
from sirene_shared.durations import parse_duration
from sirene_shared.errors import InvalidRequest
from sirene_shared.settings import BusSettings, Env, parse_bytes, repository_folder

# The replica's name becomes a key of a bucket.
REPLICA_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?", re.ASCII)


class Settings(BusSettings, frozen=True, kw_only=True):
    models_path: Annotated[
        Path, Env("SIRENE_MODELS_PATH", "INFERENCE_MODELS_PATH", help="where the models lie")
    ] = Path("/data/models")
    manifests_path: Annotated[
        Path, Env("SIRENE_MANIFESTS_PATH", help="where the manifests lie")
    ] = repository_folder("manifests")
    replica: Annotated[
        str, Env("SIRENE_REPLICA_ID", help="name of this replica; empty: host and process")
    ] = ""
    max_loaded_models: Annotated[
        int, Env("INFERENCE_MAX_LOADED_MODELS", help="models in memory at a time")
    ] = 2
    max_memory: Annotated[
        str,
        Env(
            "INFERENCE_MAX_MEMORY",
            help="what models may take of each device: `8GiB`, `75%`, `auto`, `unlimited`, "
            "or each its own: `cpu=8GiB,cuda=auto`",
        ),
    ] = "auto"
    keep_alive: Annotated[
        str,
        Env("INFERENCE_KEEP_ALIVE", help="how long an idle model stays: `5m`, `0`; `-1`: always"),
    ] = "5m"
    concurrency: Annotated[
        int, Env("INFERENCE_CONCURRENCY", help="requests that one model speaks at a time")
    ] = 2
    threads: Annotated[
        int, Env("INFERENCE_THREADS", help="CPU threads of a model; 0: one for each core")
    ] = 0
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Env("INFERENCE_DEVICE", help="`auto`, `cpu` or `cuda`")
    ] = "auto"
    load_timeout_s: Annotated[
        float, Env("INFERENCE_LOAD_TIMEOUT", help="seconds that a load may take")
    ] = 120.0
    busy_wait_s: Annotated[
        float,
        Env("INFERENCE_BUSY_WAIT", help="seconds that a request waits when all models are busy"),
    ] = 20.0
    # Below the 60 s after which whoever listens gives up by himself.
    stall_timeout_s: Annotated[
        float, Env("INFERENCE_STALL_TIMEOUT", help="seconds without audio until a model is ended")
    ] = 45.0
    warm_start: Annotated[
        bool, Env("INFERENCE_WARM_START", help="fork runners from a process that has imported all")
    ] = True
    cache_path: Annotated[
        Path,
        Env("INFERENCE_CACHE_PATH", help="where models are kept in the form that loads fastest"),
    ] = Path("~/.cache/sirene")
    cache_size: Annotated[
        str, Env("INFERENCE_CACHE_SIZE", help="how much that may take; `0`: nothing is kept")
    ] = "2GiB"
    drain_s: Annotated[
        float, Env("INFERENCE_DRAIN", help="seconds that running speech gets at the end")
    ] = 20.0

    def __post_init__(self) -> None:
        try:
            if self.cache_bytes < 0:
                raise ValueError(f"{self.cache_size!r} is less than nothing")
        except ValueError as error:
            raise InvalidRequest(f"INFERENCE_CACHE_SIZE: {error}") from error
        if self.replica and (".." in self.replica or not REPLICA_NAME.fullmatch(self.replica)):
            raise InvalidRequest("SIRENE_REPLICA_ID has letters, digits, '.', '_' and '-'")
        try:
            parse_limits(self.max_memory, {})
        except ValueError as error:
            raise InvalidRequest(f"INFERENCE_MAX_MEMORY: {error}") from error
        try:
            parse_duration(self.keep_alive)
        except ValueError as error:
            raise InvalidRequest(f"INFERENCE_KEEP_ALIVE: {error}") from error
        for name, value, least in (
            ("INFERENCE_MAX_LOADED_MODELS", self.max_loaded_models, 1),
            ("INFERENCE_CONCURRENCY", self.concurrency, 1),
            ("INFERENCE_THREADS", self.threads, 0),
            ("INFERENCE_LOAD_TIMEOUT", self.load_timeout_s, 1),
            ("INFERENCE_BUSY_WAIT", self.busy_wait_s, 0),
            ("INFERENCE_STALL_TIMEOUT", self.stall_timeout_s, 1),
            ("INFERENCE_DRAIN", self.drain_s, 0),
        ):
            if value < least:
                raise InvalidRequest(f"{name} is at least {least}")

    @property
    def keep_alive_s(self) -> float:
        return parse_duration(self.keep_alive)

    @property
    def cache_bytes(self) -> int:
        return parse_bytes(self.cache_size)

    @property
    def engine_threads(self) -> int:
        if self.threads:
            return self.threads
        if sys.platform == "linux":  # fewer than the machine has, in a container
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
