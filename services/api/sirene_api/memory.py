"""Models in the memory of the replicas: load one ahead, and free what every replica holds."""

import asyncio
import time
from contextlib import suppress

import msgspec
import nats.errors
from nats.aio.client import Client

from sirene_api.answers import LoadAnswer, UnloadAnswer, Unloaded, UnloadError
from sirene_api.catalog import Catalog
from sirene_api.http_errors import body_of
from sirene_api.link import BusLink
from sirene_shared.errors import LoadFailed, ModelLoading, NoReplica
from sirene_shared.messages import LoadReply, LoadRequest, UnloadReply, UnloadRequest
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LOAD, UNLOAD

# On top of what a replica was told to wait: the way there and back.
MARGIN_S = 2.0
# How often replicas that have gone are crossed off while their answer is awaited.
LOOK_S = 0.25
# How long replicas that are not in the state yet may take to answer.
UNKNOWN_S = 0.5


class Memory:
    def __init__(
        self, catalog: Catalog, link: BusLink, *, load_wait_s: float, unload_wait_s: float
    ) -> None:
        self._catalog = catalog
        self._link = link
        self._load_wait_s = load_wait_s
        self._unload_wait_s = unload_wait_s

    async def load(self, ref: ModelRef, *, wait_s: float | None = None) -> LoadAnswer:
        """Load the model on the replica that takes it; the load goes on if we stop waiting.

        Raises: NoReplica, ModelLoading, BusUnavailable, and what the replica answers: ModelsBusy,
        LoadFailed, ModelNotInstalled …
        """
        wait_s = self._load_wait_s if wait_s is None else wait_s
        request = LoadRequest(model=ref.model, variant=ref.variant, wait_s=wait_s)
        with self._link.asking() as client:
            try:
                message = await client.request(
                    LOAD.of(ref), request.encode(), timeout=wait_s + MARGIN_S
                )
            except nats.errors.NoRespondersError:
                raise NoReplica(
                    "no inference replica is there",
                    hint="Start one; `nats micro ls` shows those that run.",
                ) from None
            except nats.errors.TimeoutError:
                raise ModelLoading(
                    f"{ref.id!r} is still loading",
                    hint="Try again in a moment: the load goes on.",
                    retry_after_s=5,
                ) from None
        try:
            reply = LoadReply.decode(message.data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise LoadFailed("a replica gave an answer that cannot be read") from None
        if reply.error:
            raise reply.error.error()
        loaded = reply.loaded
        return LoadAnswer(
            id=ref.id,
            replica=reply.replica,
            device=loaded.device if loaded else "",
            memory_bytes=loaded.memory_bytes if loaded else 0,
            load_s=loaded.load_s if loaded else 0.0,
        )

    async def unload(self, ref: ModelRef) -> UnloadAnswer:
        """Free the model on every replica, each once its running speech has ended.

        Raises: BusUnavailable.
        """
        await self._link.wait_for_state()
        answer = UnloadAnswer(unloaded=[], errors=[])
        with self._link.asking() as client:
            replies = await self._gather(client, ref)
        for reply in replies:
            if reply.error:
                answer.errors.append(
                    UnloadError(id=ref.id, replica=reply.replica, error=body_of(reply.error))
                )
            elif reply.was_loaded:
                answer.unloaded.append(
                    Unloaded(id=ref.id, replica=reply.replica, freed_bytes=reply.freed_bytes)
                )
        return answer

    async def unload_all(self) -> UnloadAnswer:
        """Free everything that any replica holds. Raises: BusUnavailable."""
        await self._link.wait_for_state()
        replicas = self._catalog.replicas.values()
        refs = {loaded.ref for replica in replicas for loaded in replica.models}
        answers = await asyncio.gather(*(self.unload(ref) for ref in sorted(refs)))
        return UnloadAnswer(
            unloaded=[one for answer in answers for one in answer.unloaded],
            errors=[one for answer in answers for one in answer.errors],
        )

    async def free(self, ref: ModelRef) -> None:
        """Like unload(). Raises: the first error that a replica answers, e.g. ModelInUse."""
        await self._link.wait_for_state()
        with self._link.asking() as client:
            replies = await self._gather(client, ref)
        for reply in replies:
            if reply.error:
                raise reply.error.error()

    async def _gather(self, client: Client, ref: ModelRef) -> list[UnloadReply]:
        """What the replicas answer, until all those in the state have, or it takes too long."""
        request = UnloadRequest(model=ref.model, variant=ref.variant, wait_s=self._unload_wait_s)
        inbox, replies = client.new_inbox(), dict[str, UnloadReply]()
        asked_at = time.monotonic()
        expected = set(self._catalog.replicas)
        subscription = await client.subscribe(inbox)
        try:
            await client.publish(UNLOAD.of(ref), request.encode(), reply=inbox)
            while (waited_s := time.monotonic() - asked_at) < self._unload_wait_s + MARGIN_S:
                missing = expected.intersection(self._catalog.replicas) - replies.keys()
                if not missing and (replies or waited_s > UNKNOWN_S):
                    break
                with suppress(nats.errors.TimeoutError):
                    message = await subscription.next_msg(timeout=LOOK_S)
                    if (message.headers or {}).get("Status") == "503":
                        break  # no replica is there
                    with suppress(msgspec.MsgspecError):
                        reply = UnloadReply.decode(message.data)
                        replies[reply.replica] = reply
        finally:
            await subscription.unsubscribe()
        return list(replies.values())
