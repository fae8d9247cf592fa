"""Ceasing to listen without losing a message.

nats-py 2.16 has drain() for this, but the PING it waits for goes to the socket at once, while UNSUB
waits in a buffer: the answer may come before the server has even read it, and what the server sends
meanwhile is dropped in silence.
"""

from contextlib import suppress

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import BadSubscriptionError, ConnectionClosedError, ConnectionDrainingError

from sirene_shared import bus


async def drain(nc: Client, subscription: Subscription) -> None:
    """Stop listening, after everything that the server had sent by then was taken in."""
    with suppress(ConnectionClosedError, ConnectionDrainingError, BadSubscriptionError):
        # unsubscribe() would forget the subscription before what is under way to it arrives.
        await nc._send_unsubscribe(subscription._id)
        await bus.settle(nc)
        await subscription._pending_queue.join()
        # Once more, in case a new connection has brought it back meanwhile.
        await subscription.unsubscribe()
