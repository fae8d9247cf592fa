"""The bus as declared, on a real server: joined commands, mirrors that heal, streams that tell."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import APIError, BadRequestError

from sirene_shared import bus, presence
from sirene_shared.errors import AudioLost, SpeechFailed
from sirene_shared.messages import ReplicaStatus
from sirene_shared.mirror import Mirror
from sirene_shared.names import ModelRef
from sirene_shared.speech_stream import WINDOW, Frame, NobodySpeaks, receive, send
from sirene_shared.subjects import COMMANDS, CONSUMERS, MODELS, PULL, REPLICAS
from tests.support.nats import NatsServer
from tests.support.waiting import until

KOKORO = ModelRef("kokoro", "v1.0")
STATUS = ReplicaStatus(replica="r1")
SUBJECT = "test.speak"


async def test_bootstrap_may_run_again_and_mends_a_changed_stream(js: JetStreamContext) -> None:
    info = await js.stream_info(COMMANDS)
    await js.update_stream(info.config.evolve(duplicate_window=60))
    await bus.bootstrap(js)
    assert (await js.stream_info(COMMANDS)).config.duplicate_window == 10
    found = {info.name for info in await js.consumers_info(COMMANDS)}
    assert found == {consumer.durable_name for consumer in CONSUMERS}


async def test_a_second_pull_of_a_model_is_refused_while_the_first_waits(
    js: JetStreamContext,
) -> None:
    await js.publish(PULL.of(KOKORO), b"{}")
    with pytest.raises(APIError) as caught:
        await js.publish(PULL.of(KOKORO), b"{}")
    assert caught.value.err_code == bus.COMMAND_IS_QUEUED
    await js.publish(PULL.of(ModelRef("kokoro", "v1.1")), b"{}")


async def test_a_put_with_the_wrong_revision_is_refused(js: JetStreamContext) -> None:
    revision = await bus.put(js, REPLICAS, "r1", STATUS, last=0)
    await bus.put(js, REPLICAS, "r1", STATUS, last=revision)
    with pytest.raises(BadRequestError):
        await bus.put(js, REPLICAS, "r1", STATUS, last=revision)


@asynccontextmanager
async def mirrored(js: JetStreamContext) -> AsyncIterator[tuple[Mirror, dict[str, bytes]]]:
    content: dict[str, bytes] = {}

    def changed(key: str, value: bytes | None) -> None:
        if value is None:
            content.pop(key, None)
        else:
            content[key] = value

    mirror = Mirror(js, REPLICAS, changed)
    task = asyncio.create_task(mirror.run())
    try:
        await mirror.complete.wait()
        yield mirror, content
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_mirror_forgets_an_entry_whose_time_is_over(js: JetStreamContext) -> None:
    async with mirrored(js) as (_, content):
        await bus.put(js, REPLICAS, "r1", STATUS, ttl_s=1)
        await until(lambda: "r1" in content)
        await until(lambda: "r1" not in content)


@pytest.mark.parametrize("wiped", [False, True], ids=["restarted", "wiped"])
async def test_a_mirror_is_right_again_after_the_server_was_killed(
    own_nats_server: NatsServer, wiped: bool
) -> None:
    mirrors: list[Mirror] = []

    async def back() -> None:
        for mirror in mirrors:
            mirror.watch_again()

    nc = await bus.connect(own_nats_server.url, "test", on_reconnect=back)
    try:
        js = await bus.bootstrap_when_ready(nc)
        async with mirrored(js) as (mirror, content):
            mirrors.append(mirror)
            await bus.put(js, REPLICAS, "before", STATUS)
            await until(lambda: "before" in content)
            own_nats_server.kill()
            if wiped:
                shutil.rmtree(own_nats_server.folder / "jetstream")
            own_nats_server.start()
            await until(lambda: nc.is_connected)
            await bus.bootstrap_when_ready(nc)
            await bus.put(js, REPLICAS, "after", STATUS)
            await until(lambda: content.keys() == ({"after"} if wiped else {"before", "after"}))
    finally:
        await nc.close()


async def test_a_service_is_present_while_it_answers(nc: Client) -> None:
    service = await presence.announce(nc, "sirene-test", "r1")
    assert await presence.present(nc, "sirene-test") == ["r1"]
    await service.stop()
    assert await presence.present(nc, "sirene-test") == []


class Speaker:
    """Answers SUBJECT with the frames a test gives it, and keeps what became of them."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self.made = 0
        self.closed = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def answer(self, speak: Callable[[], AsyncGenerator[Frame, None]]) -> None:
        async def on_request(message: Msg) -> None:
            work = send(self._nc, message.reply, self.watched(speak()))
            self.tasks.append(asyncio.create_task(work))

        await self._nc.subscribe(SUBJECT, cb=on_request)
        await bus.settle(self._nc)

    async def watched(self, frames: AsyncGenerator[Frame, None]) -> AsyncGenerator[Frame, None]:
        try:
            async for frame in frames:
                self.made += 1
                yield frame
        finally:
            self.closed.set()


@pytest.fixture
async def speaker(nats_server: NatsServer) -> AsyncIterator[Speaker]:
    nc = await bus.connect(nats_server.url, "speaker")
    speaker = Speaker(nc)
    yield speaker
    await asyncio.gather(*speaker.tasks)
    await nc.close()


async def numbered(count: int) -> AsyncGenerator[Frame, None]:
    for number in range(count):
        yield Frame(number.to_bytes(2, "big") * 100, 22050)


async def test_frames_arrive_whole_and_in_order(nc: Client, speaker: Speaker) -> None:
    await speaker.answer(lambda: numbered(100))
    heard = [frame async for frame in receive(nc, SUBJECT, b"")]
    assert [frame.samples for frame in heard] == [n.to_bytes(2, "big") * 100 for n in range(100)]
    assert {frame.sample_rate for frame in heard} == {22050}


async def test_a_subject_without_listeners_is_nobody_speaking(nc: Client) -> None:
    with pytest.raises(NobodySpeaks):
        await anext(receive(nc, "test.nobody", b""))


async def test_an_error_of_the_replica_reaches_the_caller_as_itself(
    nc: Client, speaker: Speaker
) -> None:
    async def failing() -> AsyncGenerator[Frame, None]:
        yield Frame(b"12", 22050)
        raise SpeechFailed("no more", hint="try again")

    await speaker.answer(failing)
    with pytest.raises(SpeechFailed, match="no more") as caught:
        _ = [frame async for frame in receive(nc, SUBJECT, b"")]
    assert caught.value.hint == "try again"


async def test_a_reader_that_does_not_read_stops_the_making(nc: Client, speaker: Speaker) -> None:
    await speaker.answer(lambda: numbered(1000))
    audio = receive(nc, SUBJECT, b"")
    await anext(audio)
    await until(lambda: speaker.made > WINDOW)
    await nc.flush()
    assert speaker.made <= WINDOW + 1
    await audio.aclose()


async def test_a_reader_that_leaves_stops_the_making_at_once(nc: Client, speaker: Speaker) -> None:
    await speaker.answer(lambda: numbered(1000))
    audio = receive(nc, SUBJECT, b"")
    await anext(audio)
    await audio.aclose()
    async with asyncio.timeout(2):
        await speaker.closed.wait()
    assert speaker.made <= WINDOW + 1


@pytest.mark.parametrize("lost", ["a frame", "the end"])
async def test_a_gap_is_an_error_and_never_silence(nc: Client, lost: str) -> None:
    async def on_request(message: Msg) -> None:
        for number in (0, 2) if lost == "a frame" else (0,):
            headers = {"Seq": str(number), "Rate": "22050"}
            await nc.publish(message.reply, b"12", reply="test.control", headers=headers)
        await nc.publish(message.reply, b"", headers={"Total": "3", "Samples": "3"})

    subscription = await nc.subscribe(SUBJECT, cb=on_request)
    try:
        with pytest.raises(AudioLost):
            _ = [frame async for frame in receive(nc, SUBJECT, b"")]
    finally:
        await subscription.unsubscribe()


async def test_nothing_of_a_stream_stays_subscribed(nc: Client, speaker: Speaker) -> None:
    await speaker.answer(lambda: numbered(20))
    before = nc._subs.copy()
    for _ in range(5):
        audio = receive(nc, SUBJECT, b"")
        await anext(audio)
        await audio.aclose()
    assert nc._subs == before


async def test_a_settled_subscription_has_responders(nats_server: NatsServer, nc: Client) -> None:
    async def answer(message: Msg) -> None:
        await message.respond(b"here")

    for _ in range(50):
        other = await bus.connect(nats_server.url, "other")
        await other.subscribe(SUBJECT, cb=answer)
        await bus.settle(other)
        assert (await nc.request(SUBJECT, timeout=5)).data == b"here"
        await other.close()


async def test_the_models_bucket_keeps_one_value_a_key(js: JetStreamContext) -> None:
    bucket = await bus.open_bucket(js, MODELS)
    assert (await bucket.status()).history == 1
