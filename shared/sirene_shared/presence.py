"""Being seen: every service answers as a NATS micro service, and can be asked for.

`nats micro ls` lists them; `python -m sirene_shared.presence SERVICE [ID]` is the health check of
a container and of `sirene up`: exit status 0 when one answers within two seconds.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import nats
import nats.errors
from nats.aio.client import Client
from nats.micro import add_service
from nats.micro.service import Service

from sirene_shared import __version__

ASK_S = 1.0


async def announce(nc: Client, service: str, replica: str) -> Service:
    """Answer `$SRV` requests from now on; stop() the result before the connection ends."""
    return await add_service(
        nc,
        name=service,
        version=__version__,
        description="Sirene text-to-speech",
        metadata={"replica": replica},
    )


async def present(nc: Client, service: str, *, within_s: float = ASK_S) -> list[str]:
    """The replicas of `service` that answer in time; returns as soon as no more come in 0.1 s."""
    inbox = nc.new_inbox()
    subscription = await nc.subscribe(inbox)
    replicas: list[str] = []
    wait = within_s
    try:
        await nc.publish(f"$SRV.PING.{service}", reply=inbox)
        with suppress(nats.errors.TimeoutError):
            while True:
                message = await subscription.next_msg(timeout=wait)
                if not message.data:  # 503: nobody listens
                    break
                replicas.append(json.loads(message.data).get("metadata", {}).get("replica", ""))
                wait = 0.1
    finally:
        await subscription.unsubscribe()
    return replicas


async def _check(url: str, service: str, replica: str | None) -> bool:
    nc = await nats.connect(url, allow_reconnect=False, connect_timeout=2)
    try:
        found = await present(nc, service)
    finally:
        await nc.close()
    return replica in found if replica else bool(found)


def main(arguments: Sequence[str]) -> int:
    service, replica = arguments[0], arguments[1] if len(arguments) > 1 else None
    url = os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
    try:
        return 0 if asyncio.run(_check(url, service, replica)) else 1
    except (OSError, nats.errors.Error):
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
