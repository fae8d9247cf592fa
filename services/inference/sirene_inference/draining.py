"""Listening and ceasing to listen without losing a message.

nats-py 2.16 has flush() and drain() for this, but their PING goes to the socket at once, while SUB
and UNSUB wait in a buffer for the next turn of the loop: the answer may come before the server has
even read them, and what it sends meanwhile to a drained subscription is dropped in silence.
"""

import asyncio
from contextlib import suppress

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import BadSubscriptionError, ConnectionClosedError, ConnectionDrainingError
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError

ECHO_S = 2.0
RETRY_S = 0.25


async def processed(nc: Client) -> None:
    """Return once the server has done all that was sent before; waits while the bus is gone.

    Raises: ConnectionClosedError, ConnectionDrainingError.
    """
    # A message to ourselves takes the same way as everything else, and comes back last.
    inbox = nc.new_inbox()
    echo = await nc.subscribe(inbox, max_msgs=1)
    try:
        while True:
            with suppress(NatsTimeoutError):
                await nc.publish(inbox)
                await echo.next_msg(timeout=ECHO_S)
                return
            await asyncio.sleep(RETRY_S)
    finally:
        with suppress(NatsError):
            await echo.unsubscribe()


async def drain(nc: Client, subscription: Subscription) -> None:
    """Stop listening, after everything that the server had sent by then was taken in."""
    with suppress(ConnectionClosedError, ConnectionDrainingError, BadSubscriptionError):
        # unsubscribe() would forget the subscription before what is under way to it arrives.
        await nc._send_unsubscribe(subscription._id)
        await processed(nc)
        await subscription._pending_queue.join()
        # Once more, in case a new connection has brought it back meanwhile.
        await subscription.unsubscribe()
