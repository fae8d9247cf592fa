"""Models in the memory of the replicas: load one where there is room, keep it, free it."""

import asyncio
import time
from contextlib import suppress
from typing import TypeVar

import msgspec
import nats.errors
from nats.aio.client import Client

from sirene_api.answers import LoadAnswer, PinAnswer, UnloadAnswer, Unloaded, UnloadError
from sirene_api.catalog import Catalog
from sirene_api.http_errors import body_of
from sirene_api.link import BusLink
from sirene_api.placement import expected_bytes, places
from sirene_shared.errors import LoadFailed, ModelLoading, ModelTooLarge, NoReplica
from sirene_shared.inference_requests import (
    LoadReply,
    LoadRequest,
    PinReply,
    PinRequest,
    UnloadReply,
    UnloadRequest,
)
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LOAD, PIN, UNLOAD

Reply = TypeVar("Reply", UnloadReply, PinReply)

# On top of what a replica was told to wait: the way there and back.
MARGIN_S = 2.0
# How often replicas that have gone are crossed off while their answer is awaited.
LOOK_S = 0.25
# How long replicas that are not in the state yet may take to answer.
UNKNOWN_S = 0.5
# How long replicas may take to answer what they need not wait for.
ANSWER_S = 3.0


class Memory:
    def __init__(
        self, catalog: Catalog, link: BusLink, *, load_wait_s: float, unload_wait_s: float
    ) -> None:
        self._catalog = catalog
        self._link = link
        self._load_wait_s = load_wait_s
        self._unload_wait_s = unload_wait_s

    async def load(
        self,
        ref: ModelRef,
        *,
        wait_s: float | None = None,
        keep_alive_s: float | None = None,
        pin: bool = False,
    ) -> LoadAnswer:
        """Load the model where there is room for it; the load goes on if we stop waiting.

        keep_alive_s, pin: as in LoadRequest. Raises: NoReplica, ModelLoading, BusUnavailable, and
        what the replica answers: ModelsBusy, ModelTooLarge, LoadFailed, ModelNotInstalled …
        """
        wait_s = self._load_wait_s if wait_s is None else wait_s
        request = LoadRequest(
            model=ref.model,
            variant=ref.variant,
            wait_s=wait_s,
            keep_alive_s=keep_alive_s,
            pin=pin,
        )
        with self._link.asking() as client:
            reply = await self._ask_for_load(client, request)
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

    async def _ask_for_load(self, client: Client, request: LoadRequest) -> LoadReply:
        """Ask the replica that has room, or any of them when none of those it knows is there."""
        replicas, ref = list(self._catalog.replicas.values()), request.ref
        variant = self._catalog.catalogue.find(ref.model, ref.variant).variant
        expected = expected_bytes(replicas, ref, variant)
        subjects = [LOAD.at(name) for name in places(replicas, ref, expected)]
        refused: LoadReply | None = None
        for subject in [*subjects, LOAD.of(ref)]:
            if refused and subject == LOAD.of(ref):
                break  # all of them were asked
            try:
                message = await client.request(
                    subject, request.encode(), timeout=request.wait_s + MARGIN_S
                )
                reply = LoadReply.decode(message.data)
            except nats.errors.NoRespondersError:
                continue
            except nats.errors.TimeoutError:
                raise ModelLoading(
                    f"{ref.id!r} is still loading",
                    hint="Try again in a moment: the load goes on.",
                    retry_after_s=5,
                ) from None
            except (msgspec.MsgspecError, UnicodeDecodeError):
                raise LoadFailed("a replica gave an answer that cannot be read") from None
            if not reply.error or reply.error.code != ModelTooLarge.code:
                return reply
            refused = reply  # another one may have more memory
        if refused:
            return refused
        raise NoReplica(
            "no inference replica is there",
            hint="Start one; `nats micro ls` shows those that run.",
        )

    async def pin(self, ref: ModelRef) -> PinAnswer:
        """Keep the model in memory wherever it is loaded; it is loaded if it is nowhere.

        Raises: as load().
        """
        held = await self._tell_pin(ref, pinned=True)
        if not held:
            held = [(await self.load(ref, pin=True)).replica]
        return PinAnswer(id=ref.id, pinned=True, replicas=sorted(held))

    async def unpin(self, ref: ModelRef) -> PinAnswer:
        """Raises: BusUnavailable."""
        held = await self._tell_pin(ref, pinned=False)
        return PinAnswer(id=ref.id, pinned=False, replicas=sorted(held))

    async def _tell_pin(self, ref: ModelRef, *, pinned: bool) -> list[str]:
        """Names of the replicas that hold the model."""
        await self._link.wait_for_state()
        request = PinRequest(model=ref.model, variant=ref.variant, pinned=pinned)
        with self._link.asking() as client:
            replies = await self._gather(
                client, PIN.of(ref), request.encode(), PinReply, wait_s=ANSWER_S
            )
        return [reply.replica for reply in replies if reply.is_held]

    async def unload(self, ref: ModelRef, *, force: bool = False) -> UnloadAnswer:
        """Free the model on every replica, each once its running speech has ended.

        force: cut running speech off. Raises: BusUnavailable.
        """
        await self._link.wait_for_state()
        answer = UnloadAnswer(unloaded=[], errors=[])
        with self._link.asking() as client:
            replies = await self._gather_unloads(client, ref, force=force)
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

    async def unload_all(self, *, force: bool = False) -> UnloadAnswer:
        """Free everything that any replica holds. Raises: BusUnavailable."""
        await self._link.wait_for_state()
        replicas = self._catalog.replicas.values()
        refs = {loaded.ref for replica in replicas for loaded in replica.models}
        answers = await asyncio.gather(*(self.unload(ref, force=force) for ref in sorted(refs)))
        return UnloadAnswer(
            unloaded=[one for answer in answers for one in answer.unloaded],
            errors=[one for answer in answers for one in answer.errors],
        )

    async def free(self, ref: ModelRef) -> None:
        """Like unload(). Raises: the first error that a replica answers, e.g. ModelInUse."""
        await self._link.wait_for_state()
        with self._link.asking() as client:
            replies = await self._gather_unloads(client, ref)
        for reply in replies:
            if reply.error:
                raise reply.error.error()

    async def _gather_unloads(
        self, client: Client, ref: ModelRef, *, force: bool = False
    ) -> list[UnloadReply]:
        request = UnloadRequest(
            model=ref.model, variant=ref.variant, wait_s=self._unload_wait_s, force=force
        )
        return await self._gather(
            client, UNLOAD.of(ref), request.encode(), UnloadReply, wait_s=self._unload_wait_s
        )

    async def _gather(
        self, client: Client, subject: str, body: bytes, kind: type[Reply], *, wait_s: float
    ) -> list[Reply]:
        """What the replicas answer, until all those in the state have, or it takes too long."""
        inbox, replies = client.new_inbox(), dict[str, Reply]()
        asked_at = time.monotonic()
        expected = set(self._catalog.replicas)
        subscription = await client.subscribe(inbox)
        try:
            await client.publish(subject, body, reply=inbox)
            while (waited_s := time.monotonic() - asked_at) < wait_s + MARGIN_S:
                missing = expected.intersection(self._catalog.replicas) - replies.keys()
                if not missing and (replies or waited_s > UNKNOWN_S):
                    break
                with suppress(nats.errors.TimeoutError):
                    message = await subscription.next_msg(timeout=LOOK_S)
                    if (message.headers or {}).get("Status") == "503":
                        break  # no replica is there
                    with suppress(msgspec.MsgspecError):
                        reply = kind.decode(message.data)
                        replies[reply.replica] = reply
        finally:
            await subscription.unsubscribe()
        return list(replies.values())
