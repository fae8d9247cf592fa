"""The other services' side of the contract, spoken with the shared code alone."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from sirene_shared import bus
from sirene_shared.inference_requests import (
    LoadReply,
    LoadRequest,
    PinReply,
    PinRequest,
    SpeakRequest,
    UnloadReply,
    UnloadRequest,
)
from sirene_shared.messages import (
    InstallState,
    LoadedModel,
    LoadedState,
    ModelStatus,
    Phase,
    Progress,
    PullCommand,
    ReplicaStatus,
    Transfer,
)
from sirene_shared.names import ModelRef
from sirene_shared.speech_stream import Frame, send
from sirene_shared.subjects import (
    COMMANDS,
    DELETE,
    DELETE_CONSUMER,
    LOAD,
    MODELS,
    PIN,
    PROGRESS,
    PULL,
    PULL_CONSUMER,
    REPLICAS,
    REPLICAS_GROUP,
    SPEAK,
    UNLOAD,
)

SIWIS = ModelRef("piper", "fr_FR-siwis-medium")
LESSAC = ModelRef("piper", "en_US-lessac-medium")
SPEECH = "/v1/audio/speech"
BODY = {"model": SIWIS.id, "input": "Bonjour tout le monde", "voice": "siwis"}
CONSUMERS = {PULL_CONSUMER: PULL, DELETE_CONSUMER: DELETE}


class Downloader:
    """Takes commands and writes states, by hand."""

    def __init__(self, nc: Client, js: JetStreamContext) -> None:
        self._nc = nc
        self._js = js

    async def write(self, ref: ModelRef, state: InstallState, **fields: object) -> None:
        status = ModelStatus(model=ref.model, variant=ref.variant, state=state, **fields)
        await bus.put(self._js, MODELS, ref.key, status)

    async def tick(self, ref: ModelRef, job: str, seq: int, transfer: Transfer) -> None:
        tick = Progress(model=ref.model, variant=ref.variant, job=job, seq=seq, transfer=transfer)
        await self._nc.publish(PROGRESS.of(ref), tick.encode())

    async def take(self, consumer: str = PULL_CONSUMER) -> tuple[PullCommand, Msg]:
        """The next command; its message is acknowledged by the test."""
        subject = CONSUMERS[consumer].all
        subscription = await self._js.pull_subscribe_bind(consumer, COMMANDS)
        try:
            (message,) = await subscription.fetch(1, timeout=10)
        finally:
            await subscription.unsubscribe()
        assert message.subject.startswith(subject.removesuffix(">"))
        return PullCommand.decode(message.data), message


def downloading(done: int, total: int | None = 1000, **fields: object) -> Transfer:
    return Transfer(
        phase=Phase.DOWNLOADING,
        done_bytes=done,
        total_bytes=total,
        speed_bytes_s=100.0,
        file="model.onnx",
        **fields,
    )


Speech = Callable[[SpeakRequest], AsyncGenerator[Frame, None]]


class Replica:
    """An inference replica whose models and speech the test decides."""

    def __init__(self, nc: Client, js: JetStreamContext, name: str, speech: Speech) -> None:
        self.name = name
        self.speech = speech
        self.loads: list[LoadRequest] = []
        self.unloads: list[UnloadRequest] = []
        self.pins: list[PinRequest] = []
        self.holds = False
        """What it answers to a pin."""
        self.spoken: list[SpeakRequest] = []
        self.load_error: LoadReply | None = None
        self.unload_reply = UnloadReply(replica=name, was_loaded=True, freed_bytes=5000)
        self._nc = nc
        self._js = js
        self._speaking: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        await self._nc.subscribe(LOAD.all, queue=REPLICAS_GROUP, cb=self._on_load)
        await self._nc.subscribe(LOAD.at(self.name), cb=self._on_load)
        await self._nc.subscribe(PIN.all, cb=self._on_pin)
        await self._nc.subscribe(UNLOAD.all, cb=self._on_unload)
        await bus.settle(self._nc)

    async def report(self, *models: LoadedModel, **fields: object) -> None:
        status = ReplicaStatus(
            replica=self.name,
            host="box",
            max_loaded_models=2,
            models=models,
            backends=("piper",),
            **fields,
        )
        await bus.put(self._js, REPLICAS, self.name, status, ttl_s=60)

    async def vanish(self) -> None:
        await (await self._js.key_value(REPLICAS.name)).delete(self.name)

    async def serve(self, ref: ModelRef) -> None:
        """From now on the model is loaded and has free slots."""
        await self._nc.subscribe(SPEAK.of(ref), queue=REPLICAS_GROUP, cb=self._on_speak)
        await bus.settle(self._nc)

    async def _on_load(self, message: Msg) -> None:
        request = LoadRequest.decode(message.data)
        self.loads.append(request)
        if self.load_error is not None:
            await message.respond(self.load_error.encode())
            return
        await self.serve(request.ref)
        await message.respond(
            LoadReply(replica=self.name, loaded=loaded(request.ref, load_s=0.5)).encode()
        )

    async def _on_pin(self, message: Msg) -> None:
        self.pins.append(PinRequest.decode(message.data))
        await message.respond(PinReply(replica=self.name, is_held=self.holds).encode())

    async def _on_unload(self, message: Msg) -> None:
        self.unloads.append(UnloadRequest.decode(message.data))
        await message.respond(self.unload_reply.encode())

    async def _on_speak(self, message: Msg) -> None:
        request = SpeakRequest.decode(message.data)
        self.spoken.append(request)
        task = asyncio.create_task(send(self._nc, message.reply, self.speech(request)))
        self._speaking.add(task)
        task.add_done_callback(self._speaking.discard)

    @property
    def is_idle(self) -> bool:
        return not self._speaking


def loaded(ref: ModelRef, **fields: object) -> LoadedModel:
    defaults: dict[str, object] = {"state": LoadedState.LOADED, "memory_bytes": 5000}
    return LoadedModel(model=ref.model, variant=ref.variant, **(defaults | fields))
