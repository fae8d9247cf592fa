"""A listener that comes and goes: every message is taken in, or refused by the server."""

import asyncio
from collections import Counter

from nats.aio.client import Client
from nats.aio.msg import Msg

from sirene_inference.draining import drain
from sirene_shared import bus
from tests.support.nats import NatsServer
from tests.support.waiting import until

SUBJECT = "test.come.and.go"
CYCLES = 300


async def test_no_message_is_lost_by_a_listener_that_leaves(
    nats_server: NatsServer, nc: Client
) -> None:
    sender = await bus.connect(nats_server.url, "sender")
    fates: Counter[str] = Counter()
    is_over = False

    async def refused(message: Msg) -> None:
        fates["refused"] += 1

    async def taken(message: Msg) -> None:
        fates["taken"] += 1

    async def send() -> None:
        while not is_over:
            for _ in range(5):
                await sender.publish(SUBJECT, b"x", reply=inbox)
                fates["sent"] += 1
            await asyncio.sleep(0)

    inbox = sender.new_inbox()
    await sender.subscribe(inbox, cb=refused)
    sending = asyncio.create_task(send())
    try:
        for _ in range(CYCLES):
            subscription = await nc.subscribe(SUBJECT, queue="group", cb=taken)
            await bus.settle(nc)
            await drain(nc, subscription)
        is_over = True
        await sending
        await bus.settle(sender)
        await until(lambda: fates["taken"] + fates["refused"] == fates["sent"])
        assert fates["taken"] > CYCLES
        assert fates["refused"] > 0
    finally:
        sending.cancel()
        await sender.close()
