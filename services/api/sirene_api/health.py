"""Whether the parts behind the API answer now, asked anew each time."""

import nats.errors

from sirene_api.answers import BusCheck, Checks, Readiness, ServiceCheck
from sirene_api.link import BusLink
from sirene_shared.errors import BusUnavailable
from sirene_shared.presence import present
from sirene_shared.subjects import DOWNLOADER_SERVICE, INFERENCE_SERVICE

ASK_S = 0.5


async def readiness(link: BusLink) -> Readiness:
    is_alive = await link.is_alive()
    checks = Checks(
        bus=BusCheck(ok=is_alive),
        downloader=await _service(link, DOWNLOADER_SERVICE, is_alive=is_alive),
        inference=await _service(link, INFERENCE_SERVICE, is_alive=is_alive),
    )
    return Readiness(status="ready" if is_alive else "unavailable", checks=checks)


async def _service(link: BusLink, service: str, *, is_alive: bool) -> ServiceCheck:
    replicas: list[str] = []
    if is_alive:
        try:
            replicas = sorted(await present(link.client, service, within_s=ASK_S))
        except (BusUnavailable, nats.errors.Error, OSError):
            replicas = []
    return ServiceCheck(ok=bool(replicas), replicas=replicas)
