"""Where a model is, told by subscriptions: this replica listens on a model's speak subject exactly
while it holds the model and has a free slot.

Whoever asks there is answered by a replica that can speak at once, or by the server that nobody
can; no registry is needed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, ConnectionDrainingError

from sirene_inference.draining import drain
from sirene_inference.news import News
from sirene_shared import bus
from sirene_shared.names import ModelRef
from sirene_shared.subjects import REPLICAS_GROUP, SPEAK

log = logging.getLogger(__name__)


class Route:
    """A model's subscription, on its way from what it is to what it should be."""

    def __init__(self) -> None:
        self.is_wanted = False
        self.is_routable = False
        """The server sends us what is asked for the model."""
        self.subscription: Subscription | None = None
        self.task: asyncio.Task[None] | None = None


class Residency:
    def __init__(
        self,
        nc: Client,
        on_speak: Callable[[Msg], Awaitable[None]],
        has_room: Callable[[ModelRef], bool],
    ) -> None:
        """has_room: whether the model is loaded and has a free slot."""
        self._nc = nc
        self._on_speak = on_speak
        self._has_room = has_room
        self._routes: dict[ModelRef, Route] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._news = News()
        self._is_closing = False

    def look(self, ref: ModelRef) -> None:
        """Something about the model changed: listen, or stop listening."""
        route = self._routes.setdefault(ref, Route())
        route.is_wanted = not self._is_closing and self._has_room(ref)
        self._news.tell()
        if route.is_wanted != bool(route.subscription) and route.task is None:
            route.task = asyncio.create_task(self._settle(ref, route))

    async def routable(self, ref: ModelRef, *, while_: Callable[[], bool]) -> bool:
        """Wait until asking on the model's subject reaches us; False once `while_()` is false."""
        while while_():
            route = self._routes.get(ref)
            if route and route.is_routable:
                return True
            await self._news.wait()
        return False

    async def close(self) -> None:
        """Stop listening, after what was sent to us has been taken in."""
        self._is_closing = True
        for ref in list(self._routes):
            self.look(ref)
        tasks = [route.task for route in self._routes.values() if route.task]
        await asyncio.gather(*tasks)
        await asyncio.gather(*self._leaving)

    async def _settle(self, ref: ModelRef, route: Route) -> None:
        try:
            while route.is_wanted != bool(route.subscription):
                if route.subscription:
                    self._withdraw(route)
                else:
                    route.subscription = await self._nc.subscribe(
                        SPEAK.of(ref), queue=REPLICAS_GROUP, cb=self._on_speak
                    )
                    await bus.settle(self._nc)
                    route.is_routable = route.is_wanted
                    self._news.tell()
        except (ConnectionClosedError, ConnectionDrainingError):
            log.debug("the connection ends; %s is not routed", ref.id)
        finally:
            route.task = None

    def _withdraw(self, route: Route) -> None:
        subscription, route.subscription, route.is_routable = route.subscription, None, False
        assert subscription is not None
        leaving = asyncio.create_task(drain(self._nc, subscription))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
