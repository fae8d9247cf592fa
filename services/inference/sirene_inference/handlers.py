"""What this replica is asked: to speak, to load, to unload."""

import asyncio
import logging
from contextlib import suppress
from typing import TypeVar

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from sirene_inference.cache import Models
from sirene_inference.holding import Holding
from sirene_inference.loader import LoadedVoice
from sirene_inference.request import Request
from sirene_inference.residency import Residency
from sirene_inference.spoken import spoken
from sirene_inference.status import loaded_model
from sirene_shared import speech_stream
from sirene_shared.durations import kept_s
from sirene_shared.errors import (
    Failure,
    InvalidRequest,
    ModelInUse,
    ModelLoading,
    ModelsBusy,
    SireneError,
    SpeechFailed,
)
from sirene_shared.inference_requests import (
    LoadReply,
    LoadRequest,
    PinReply,
    PinRequest,
    SpeakRequest,
    UnloadReply,
    UnloadRequest,
)
from sirene_shared.messages import LoadedState
from sirene_shared.names import ModelRef
from sirene_shared.subjects import SPEAK
from sirene_shared.wire import Wire

Asked = TypeVar("Asked", bound=Wire)

log = logging.getLogger(__name__)

# More than this many wait for one model's slots: the next one is better off elsewhere.
MAX_WAITING = 64
RETRY_S = 3


class Handlers:
    """Each method but on_speak() takes a body and gives the reply's; none raises."""

    def __init__(
        self, nc: Client, models: Models[LoadedVoice], *, replica: str, concurrency: int
    ) -> None:
        self._nc = nc
        self._models = models
        self._replica = replica
        self._concurrency = concurrency
        self._speeches: set[asyncio.Task[None]] = set()
        self.residency = Residency(nc, self.on_speak, self.has_room)

    def has_room(self, ref: ModelRef) -> bool:
        users = self._models.users(ref)
        return users is not None and users < self._concurrency

    async def on_speak(self, message: Msg) -> None:
        """Returns at once, since a subscription takes its messages one by one."""
        speech = asyncio.create_task(self._speak(message))
        self._speeches.add(speech)
        speech.add_done_callback(self._speeches.discard)

    async def load(self, body: bytes) -> bytes:
        """Answers when the model's speak subject reaches this replica, or why it does not yet."""
        try:
            request = _decoded(LoadRequest, body)
            holding = await self._load(request)
            reply = LoadReply(replica=self._replica, loaded=loaded_model(holding))
        except SireneError as error:
            reply = LoadReply(replica=self._replica, error=error.failure())
        except Exception:  # the edge: FastStream would answer nothing at all
            log.exception("a load request failed")
            reply = LoadReply(replica=self._replica, error=_unforeseen())
        return reply.encode()

    async def unload(self, body: bytes) -> bytes:
        try:
            request = _decoded(UnloadRequest, body)
            freed = await self._models.unload(
                request.ref, within_s=request.wait_s, force=request.force
            )
            if freed is not None:
                log.info("unloaded %s, %.0f MB are back", request.ref.id, freed / 1e6)
            reply = UnloadReply(
                replica=self._replica, was_loaded=freed is not None, freed_bytes=max(0, freed or 0)
            )
        except SireneError as error:
            was_loaded = isinstance(error, ModelInUse)
            reply = UnloadReply(replica=self._replica, was_loaded=was_loaded, error=error.failure())
        except Exception:  # the edge, as above
            log.exception("an unload request failed")
            reply = UnloadReply(replica=self._replica, error=_unforeseen())
        return reply.encode()

    async def pin(self, body: bytes) -> bytes:
        try:
            request = _decoded(PinRequest, body)
            is_held = self._models.pin(request.ref, pinned=request.pinned)
            reply = PinReply(replica=self._replica, is_held=is_held)
        except SireneError as error:
            reply = PinReply(replica=self._replica, error=error.failure())
        except Exception:  # the edge, as above
            log.exception("a pin request failed")
            reply = PinReply(replica=self._replica, error=_unforeseen())
        return reply.encode()

    async def finish(self, *, within_s: float) -> None:
        """Let running speeches send their last frame."""
        if self._speeches:
            await asyncio.wait(self._speeches, timeout=within_s)

    async def _load(self, request: LoadRequest) -> Holding[LoadedVoice]:
        ref = request.ref
        try:
            async with asyncio.timeout(request.wait_s):
                while True:
                    holding = await self._models.bring(
                        ref, kept_s(request.keep_alive_s), pin=request.pin
                    )
                    # When it left meanwhile, it is brought again.
                    if await self.residency.routable(ref, while_=lambda: self._is_loaded(ref)):
                        return holding
        except TimeoutError:
            raise self._not_yet(ref) from None

    def _is_loaded(self, ref: ModelRef) -> bool:
        return self._models.users(ref) is not None

    def _not_yet(self, ref: ModelRef) -> SireneError:
        residents = [holding.resident for holding in self._models.holdings()]
        if any(each.ref == ref and each.state is LoadedState.LOADING for each in residents):
            return ModelLoading(
                f"{ref.id!r} is still loading", hint="Try again.", retry_after_s=RETRY_S
            )
        return ModelsBusy(f"{ref.id!r} has no free slot", hint="Try again.", retry_after_s=RETRY_S)

    async def _speak(self, message: Msg) -> None:
        try:
            request = _decoded(SpeakRequest, message.data)
            if message.subject != SPEAK.of(request.ref):
                raise InvalidRequest("the request is about another model than its subject")
            if (self._models.users(request.ref) or 0) >= self._concurrency + MAX_WAITING:
                raise ModelsBusy(
                    f"too many wait for {request.ref.id!r}",
                    hint="Try again.",
                    retry_after_s=RETRY_S,
                )
            wanted = Request(
                text=request.text,
                voice=request.voice,
                language=request.language,
                speed=request.speed,
                seed=request.seed,
                sample_rate=request.sample_rate,
                instructions=request.instructions,
                clip=request.clip,
                transcript=request.transcript,
            )
            keep_alive_s = kept_s(request.keep_alive_s)
            frames = spoken(self._models, request.ref, wanted, keep_alive_s)
            await speech_stream.send(self._nc, message.reply, frames)
        except SireneError as error:
            await self._refuse(message, error)
        except NatsError as error:
            log.warning("the bus was lost during a speech: %r", error)
        except Exception:  # the edge: whoever asked must hear of it
            log.exception("a speak request failed")
            await self._refuse(message, SpeechFailed("the speech failed for an unforeseen reason"))

    async def _refuse(self, message: Msg, error: SireneError) -> None:
        with suppress(NatsError):
            await speech_stream.refuse(self._nc, message.reply, error)


def _decoded(kind: type[Asked], body: bytes) -> Asked:
    """Raises: InvalidRequest."""
    try:
        return kind.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the request does not fit: {error}") from error


def _unforeseen() -> Failure:
    return SireneError("the replica failed for an unforeseen reason").failure()
