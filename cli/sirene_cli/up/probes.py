"""Whether a service is ready: asked the way its clients reach it."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import httpx
import msgspec
import nats
import nats.errors

from sirene_cli.nats_server import ports
from sirene_shared.presence import present
from sirene_shared.subjects import DOWNLOADER_SERVICE, INFERENCE_SERVICE

Probe = Callable[[], Awaitable[bool]]

ANSWER_S = 2.0
PRESENCE_NAMES = {"downloader": DOWNLOADER_SERVICE, "inference": INFERENCE_SERVICE}


class Check(msgspec.Struct):
    ok: bool = False


class Health(msgspec.Struct):
    checks: dict[str, Check] = {}


def nats_server(folder: Path) -> Probe:
    """The embedded server: its store is read and JetStream answers."""

    async def probe() -> bool:
        told = ports(folder)
        if told is None:
            return False
        return await _get(f"{told[1]}/healthz?js-enabled-only=true") is not None

    return probe


def on_bus(url: str, service: str) -> Probe:
    """A service that answers on the bus."""

    async def probe() -> bool:
        try:
            nc = await nats.connect(url, allow_reconnect=False, connect_timeout=2, error_cb=_ignore)
        except (OSError, nats.errors.Error):
            return False
        try:
            return bool(await present(nc, PRESENCE_NAMES[service]))
        except nats.errors.Error:
            return False
        finally:
            await nc.close()

    return probe


def api(url: str, services: Sequence[str]) -> Probe:
    """The API is ready and sees the bus and `services`."""

    async def probe() -> bool:
        body = await _get(f"{url}/api/health/ready")
        try:
            checks = msgspec.json.decode(body or b"{}", type=Health).checks
        except msgspec.MsgspecError:
            return False
        return all(checks.get(name, Check()).ok for name in ("bus", *services))

    return probe


async def bus_answers(url: str) -> bool:
    try:
        nc = await nats.connect(url, allow_reconnect=False, connect_timeout=2, error_cb=_ignore)
    except (OSError, nats.errors.Error):
        return False
    await nc.close()
    return True


async def _get(url: str) -> bytes | None:
    """The body of a 200, else None."""
    try:
        async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
            answer = await client.get(url)
    except httpx.TransportError:
        return None
    return answer.content if answer.status_code == httpx.codes.OK else None


async def _ignore(_: Exception) -> None:
    """A refused connection is an answer here, not an event to print."""
