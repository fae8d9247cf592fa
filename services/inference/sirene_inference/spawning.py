"""Starting a runner's process from nothing: Python, its imports, and then what it is for."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from typing import Protocol

from sirene_inference import pipe

STREAM_LIMIT = 2 * pipe.MAX_PAYLOAD_BYTES


class RunnerProcess(Protocol):
    """What a runner needs of its process; asyncio's Process is one."""

    @property
    def pid(self) -> int: ...
    @property
    def stdin(self) -> asyncio.StreamWriter | None: ...
    @property
    def stdout(self) -> asyncio.StreamReader | None: ...
    @property
    def stderr(self) -> asyncio.StreamReader | None: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...


async def spawn(
    environ: Mapping[str, str], *arguments: str, streams: int, pass_fds: Sequence[int] = ()
) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "sirene_inference.runner_process", str(os.getpid())),
        *arguments,
        stdin=streams,
        stdout=streams,
        stderr=PIPE,
        env=environ,
        pass_fds=pass_fds,
        # Ctrl-C in a terminal is for the service, which then ends its runners in order.
        process_group=0,
        limit=STREAM_LIMIT,
    )
