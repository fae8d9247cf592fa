"""`python -m sirene_api`: serve until SIGTERM or Ctrl-C."""

import asyncio
import logging
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from sirene_api.app import Application, create_app
from sirene_api.settings import Settings
from sirene_api.web_ui import WebUI
from sirene_shared import logs, web_ui
from sirene_shared.errors import SireneError
from sirene_shared.settings import read

log = logging.getLogger(__name__)

# For audio that is being spoken; event streams end by themselves.
DRAIN_S = 10
MAX_HEADER_BYTES = 16 * 1024


class Server(uvicorn.Server):
    """Ends the event streams first: uvicorn waits for open answers, and theirs have no end."""

    def __init__(self, config: uvicorn.Config, app: Application) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        for server in self.servers:
            for bound in server.sockets:
                host, port = bound.getsockname()[:2]
                shown = f"[{host}]" if ":" in host else host
                log.info("listening on http://%s:%d", shown, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not passed on: uvicorn would raise the signal again at the end, and die of it.
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._app.hub.end_all)
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _ui(settings: Settings) -> WebUI | web_ui.Missing:
    if not settings.ui:
        return web_ui.Missing(web_ui.SWITCHED_OFF, can_be_built=False)
    found = web_ui.find()
    if isinstance(found, web_ui.Missing):
        log.warning("there is no web UI: %s", found.reason)
        return found
    try:
        return WebUI.load(found)
    except OSError as error:
        log.warning("the web UI cannot be read: %s", error)
        return web_ui.Missing("its files cannot be read")


def main() -> int:
    try:
        settings = read(Settings, os.environ)
        logs.configure("api", level=settings.log_level, log_format=settings.log_format)
        app = create_app(settings, ui=_ui(settings))
    except SireneError as error:
        print(f"sirene_api: {error.message}. {error.hint}".rstrip(), file=sys.stderr)
        return 2
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
    )
    server = Server(config, app)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
