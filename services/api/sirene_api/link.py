"""The API's one connection to the bus: made in the background, mended by itself."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from sirene_api.catalog import Catalog
from sirene_shared import bus
from sirene_shared.ending import end
from sirene_shared.errors import BusUnavailable
from sirene_shared.mirror import Mirror
from sirene_shared.presence import announce
from sirene_shared.subjects import API_SERVICE, MODELS, PROGRESS, REPLICAS

log = logging.getLogger(__name__)

# How long a request waits for the state to be read, right after a start.
READ_WAIT_S = 1.0
PROBE_S = 1.0
RETRY_S = 1.0


class BusLink:
    """Mirrors the state into the catalog for as long as run() runs."""

    def __init__(
        self, url: str, catalog: Catalog, *, state_read: Callable[[], None] = lambda: None
    ) -> None:
        """state_read: called once it is, for whoever waits for it."""
        self._url = url
        self._catalog = catalog
        self._state_read = state_read
        self._replica = secrets.token_hex(4)
        self._client: Client | None = None
        self._mirrors: tuple[Mirror, ...] = ()
        self._lost = asyncio.Event()
        self._returned = asyncio.Event()
        self._has_state = asyncio.Event()
        # By the loop's clock: without a bus, requests wait just after a start and no more.
        self._patient_until = 0.0

    @property
    def client(self) -> Client:
        """Raises: BusUnavailable."""
        if self._client is None or not self._client.is_connected:
            raise _unavailable()
        return self._client

    @property
    def jetstream(self) -> JetStreamContext:
        """Raises: BusUnavailable."""
        return self.client.jetstream(timeout=bus.JETSTREAM_TIMEOUT_S)

    @property
    def has_state(self) -> bool:
        """The state was read at least once, so that the catalog can be believed."""
        return self._has_state.is_set()

    async def wait_for_state(self) -> None:
        """Return once the state is read, which a start takes a moment for.

        Raises: BusUnavailable.
        """
        try:
            async with asyncio.timeout_at(self._patient_until):
                await self._has_state.wait()
        except TimeoutError:
            raise _unavailable() from None

    @contextmanager
    def asking(self) -> Iterator[Client]:
        """The connection, with its errors as ours. Raises: BusUnavailable."""
        try:
            yield self.client
        except (nats.errors.Error, OSError, TimeoutError) as error:
            log.warning("the bus does not answer: %r", error)
            raise _unavailable() from error

    async def is_alive(self) -> bool:
        """Whether the bus and its store answer now, and their state is mirrored.

        Asks, since a frozen server keeps its sockets open.
        """
        if not self.has_state:
            return False
        try:
            async with asyncio.timeout(2 * PROBE_S):
                await self.client.jetstream(timeout=PROBE_S).stream_info(f"KV_{MODELS.name}")
        except (BusUnavailable, nats.errors.Error, OSError, TimeoutError):
            return False
        return True

    async def run(self) -> None:
        """Hold a connection for ever, and a new one when the old one is closed for good."""
        while True:
            try:
                await self._hold()
                log.warning("the connection to the bus was closed; making a new one")
            except Exception:  # the outermost edge: the API stays up, and says 503
                log.exception("the link to the bus broke; making a new one")
            self._client, self._mirrors = None, ()
            self._has_state.clear()
            self._catalog.forget()
            await asyncio.sleep(RETRY_S)

    async def _hold(self) -> None:
        self._lost.clear()
        self._be_patient()
        client = await bus.connect(
            self._url,
            API_SERVICE,
            on_reconnect=self._on_reconnect,
            closed_cb=self._on_closed,
            inbox_prefix="_INBOX_api",
            # Without a buffer a publish fails at once while the bus is away; with one it would
            # time out, and be delivered later all the same.
            pending_size=-1,
        )
        try:
            await client.subscribe(PROGRESS.all, cb=self._on_progress)
            await announce(client, API_SERVICE, self._replica)
            jetstream = client.jetstream(timeout=bus.JETSTREAM_TIMEOUT_S)
            self._mirrors = (
                Mirror(jetstream, MODELS, self._catalog.take_status),
                Mirror(jetstream, REPLICAS, self._catalog.take_replica),
            )
            self._client = client
            self._be_patient()
            work = [mirror.run() for mirror in self._mirrors]
            work += [self._declare(client), self._read(), self._until_lost()]
            tasks = [asyncio.create_task(one) for one in work]
            try:
                ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
            finally:
                await end(tasks)
        finally:
            await bus.close(client)

    def _be_patient(self) -> None:
        self._patient_until = asyncio.get_running_loop().time() + READ_WAIT_S

    async def _declare(self, client: Client) -> None:
        """Declare streams and buckets now and after each reconnect: the store may be a new one."""
        while True:
            self._returned.clear()
            await bus.bootstrap_when_ready(client)
            for mirror in self._mirrors:
                mirror.watch_again()
            await self._returned.wait()

    async def _read(self) -> None:
        """Say when the state is read; ends with the connection only."""
        for mirror in self._mirrors:
            await mirror.complete.wait()
        self._has_state.set()
        self._state_read()
        await self._lost.wait()

    async def _until_lost(self) -> None:
        await self._lost.wait()

    async def _on_reconnect(self) -> None:
        self._returned.set()
        for mirror in self._mirrors:
            mirror.watch_again()

    async def _on_closed(self) -> None:
        self._lost.set()

    async def _on_progress(self, message: Msg) -> None:
        self._catalog.take_progress(message.data)


def _unavailable() -> BusUnavailable:
    return BusUnavailable(
        "the message bus cannot be reached",
        hint="Try again in a moment; if it stays so, look whether nats-server runs.",
    )
