"""Start inference: `python -m sirene_inference`."""

import asyncio
import logging
import os
import signal
import sys

from sirene_inference import engines
from sirene_inference.app import serve
from sirene_inference.settings import Settings
from sirene_shared import logs, settings
from sirene_shared.errors import SireneError

log = logging.getLogger(__name__)


async def _run(chosen: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("connecting to the bus")
    await serve(chosen, os.environ, stop)


def main() -> int:
    logs.configure("inference")
    try:
        chosen = settings.read(Settings, os.environ)
        logs.configure(
            "inference",
            level=chosen.log_level,
            log_format=chosen.log_format,
            secrets=[chosen.nats_url],
        )
        log.info("the engine is %s", engines.check())
        asyncio.run(_run(chosen))
    except SireneError as error:
        log.error("%s %s", error, error.hint)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
