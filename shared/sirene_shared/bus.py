"""Connect to NATS, and bring its streams, consumers and buckets into the declared shape."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import StaleConnectionError, UnexpectedEOF
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import BadRequestError
from nats.js.kv import KeyValue

from sirene_shared.errors import BusUnavailable
from sirene_shared.subjects import BUCKETS, COMMANDS, CONSUMERS, STREAMS, Bucket
from sirene_shared.wire import Wire

log = logging.getLogger(__name__)

# A server that is frozen, not gone, shows after two unanswered pings.
PING_INTERVAL_S = 2
JETSTREAM_TIMEOUT_S = 5.0
ECHO_S = 2.0
PROBE_S = 0.5
WARN_EVERY_ATTEMPTS = 10
STREAM_EXISTS_DIFFERENTLY = 10058
COMMAND_IS_QUEUED = 10077

Callback = Callable[[], Awaitable[None]]


def connect_options(name: str) -> dict[str, Any]:
    """How every part of Sirene connects, for nats.connect() and for FastStream's NatsBroker.

    Reconnects for ever, and also waits for ever for the first connection.
    """
    return {
        "name": name,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.25,
        "ping_interval": PING_INTERVAL_S,
        "max_outstanding_pings": 2,
        "connect_timeout": 2,
        "drain_timeout": 5,
    }


async def connect(
    url: str,
    name: str,
    *,
    on_reconnect: Callback | None = None,
    on_disconnect: Callback | None = None,
    **options: Any,
) -> Client:
    """A connection that reconnects by itself and logs, once each, that it was lost and is back."""

    nc = Client()

    async def lost() -> None:
        if nc.is_closed or nc.is_draining:  # we left ourselves
            return
        log.warning("the bus is gone; reconnecting")
        if on_disconnect:
            await on_disconnect()

    async def back() -> None:
        log.info("the bus is back")
        if on_reconnect:
            await on_reconnect()

    async def failed(error: Exception) -> None:
        # Permission errors arrive only here; a lost connection is told by `lost` already.
        if not isinstance(error, OSError | UnexpectedEOF | StaleConnectionError):
            log.warning("bus: %r", error)

    await nc.connect(
        url,
        disconnected_cb=lost,
        reconnected_cb=back,
        error_cb=failed,
        **(connect_options(name) | options),
    )
    return nc


async def close(nc: Client) -> None:
    """Also a connection whose other end is gone."""
    with suppress(NatsError, OSError):
        await nc.close()


async def settle(nc: Client) -> None:
    """Return once the server has done all that was sent before; waits while the bus is gone.

    flush() is no such barrier in nats-py 2.16: its PING goes to the socket at once while SUB and
    UNSUB wait in a buffer, and its PONG may overtake them (5 % of requests then found no
    responder). A message to ourselves takes the same way as everything else, and comes back last.

    Raises: ConnectionClosedError, ConnectionDrainingError.
    """
    inbox = nc.new_inbox()
    echo = await nc.subscribe(inbox, max_msgs=1)
    try:
        while True:
            with suppress(NatsTimeoutError):
                await nc.publish(inbox)
                await echo.next_msg(timeout=ECHO_S)
                return
            await asyncio.sleep(PROBE_S)
    finally:
        with suppress(NatsError):
            await echo.unsubscribe()


async def bootstrap(js: JetStreamContext) -> None:
    """Declare streams, consumers and buckets. May run at any time, by any number, again and again.

    The only place that declares: services bind with `declare=False`, since FastStream would
    silently reset what it finds.
    """
    for stream in STREAMS:
        try:
            await js.add_stream(stream)
        except BadRequestError as error:
            if error.err_code != STREAM_EXISTS_DIFFERENTLY:
                raise
            await js.update_stream(stream)
    for consumer in CONSUMERS:
        await js.add_consumer(COMMANDS, consumer)
    for bucket in BUCKETS:
        await js.create_key_value(bucket.config)


async def bootstrap_when_ready(nc: Client) -> JetStreamContext:
    """bootstrap() as soon as JetStream answers.

    A server listens before its store is read, and what is asked in between is never answered: so
    it is asked briefly and often.
    """
    js, probe = nc.jetstream(timeout=JETSTREAM_TIMEOUT_S), nc.jetstream(timeout=PROBE_S)
    attempt = 0
    while True:
        attempt += 1
        try:
            await probe.account_info()
            await bootstrap(js)
            return js
        except (NatsError, OSError) as error:
            if attempt % WARN_EVERY_ATTEMPTS == 0:
                log.warning("JetStream does not answer yet: %r", error)
            await asyncio.sleep(PROBE_S / 5)


async def put(
    js: JetStreamContext,
    bucket: Bucket,
    key: str,
    value: Wire,
    *,
    ttl_s: int | None = None,
    last: int | None = None,
) -> int:
    """Write an entry and return its revision.

    ttl_s: whole seconds until the entry vanishes. KeyValue.put has no such parameter, and its
    plain put removes the time to live of an entry.
    last: the revision that must be the current one (0: none), else KeyWrongLastSequenceError.

    Raises: BusUnavailable.
    """
    expected = Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value
    headers = None if last is None else {expected: str(last)}
    try:
        ack = await js.publish(
            f"$KV.{bucket.name}.{key}",
            value.encode(),
            headers=headers,
            msg_ttl=ttl_s,
            timeout=JETSTREAM_TIMEOUT_S,
        )
    except BadRequestError:
        raise
    except (NatsError, OSError) as error:
        raise BusUnavailable(f"the state of {key!r} could not be written") from error
    return ack.seq


async def open_bucket(js: JetStreamContext, bucket: Bucket) -> KeyValue:
    return await js.key_value(bucket.name)
