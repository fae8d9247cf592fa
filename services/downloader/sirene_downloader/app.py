"""The downloader as a program: its settings read, its log configured, SIGTERM heard."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import huggingface_hub
import msgspec

from sirene_downloader.downloader import Downloader
from sirene_downloader.settings import Limits, Settings
from sirene_shared import logs, settings
from sirene_shared.errors import SireneError
from sirene_shared.manifest import Catalogue, load_catalogue


def create_app(
    settings: Settings,
    *,
    catalogue: Catalogue | None = None,
    limits: Limits | None = None,
    clock: Callable[[], datetime] = datetime.now,
) -> Downloader:
    """Raises: InvalidManifest."""
    if catalogue is None:
        catalogue = load_catalogue(settings.manifests_path)
    return Downloader(settings, catalogue, limits or Limits(), clock)


async def _serve(app: Downloader) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.stop)
    await app.run()


def main() -> None:
    try:
        chosen = settings.read(Settings, os.environ)
        if not chosen.hf_token:
            # Where `hf auth login` left it.
            token = huggingface_hub.get_token() or ""
            chosen = msgspec.structs.replace(chosen, hf_token=token)
        logs.configure(
            "downloader",
            level=chosen.log_level,
            log_format=chosen.log_format,
            secrets=[
                chosen.hf_token,
                urlsplit(chosen.nats_url).password or "",
                *chosen.proxies.secrets,
            ],
        )
        app = create_app(chosen)
    except SireneError as error:
        sys.exit(f"sirene-downloader: {error.message} {error.hint}".rstrip())
    asyncio.run(_serve(app))
