"""What the stand-ins share: a journal of starts and ends, presence on the bus, an end on SIGTERM.

STAND_IN_JOURNAL  the journal's file
STAND_IN_DEAF     the service that ignores SIGTERM
STAND_IN_BROKEN   the service that ends at once
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from nats.aio.client import Client

from sirene_shared import bus, presence


def note(text: str) -> None:
    with Path(os.environ["STAND_IN_JOURNAL"]).open("a") as journal:
        journal.write(f"{text}\n")


async def serve(name: str, serve_more: Callable[[Client], Awaitable[None]] | None = None) -> None:
    note(f"{name} started {os.getpid()}")
    print(f"a line of {name}", flush=True)
    if os.environ.get("STAND_IN_BROKEN") == name:
        sys.exit(f"{name} is broken on purpose")
    if name == "inference":  # as a runner: a group of its own, and deaf
        argv = [sys.executable, "-ISc", "import signal; signal.signal(15, 1); signal.pause()"]
        note(f"runner started {subprocess.Popen(argv, process_group=0).pid}")
    stop = asyncio.Event()
    is_deaf = os.environ.get("STAND_IN_DEAF") == name
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, note if is_deaf else stop.set, *(["deaf"] if is_deaf else [])
    )
    nc = await bus.connect(os.environ["NATS_URL"], name)
    await presence.announce(nc, f"sirene-{name}", name)
    if serve_more:
        await serve_more(nc)
    await stop.wait()
    await nc.close()
    note(f"{name} ended")


def main(name: str, serve_more: Callable[[Client], Awaitable[None]] | None = None) -> None:
    asyncio.run(serve(name, serve_more))
