"""Speech over HTTP, streamed from a replica that is played by hand."""

import asyncio
import io
import struct
import wave
from collections.abc import AsyncGenerator

import httpx
import pytest
from nats.js import JetStreamContext

from sirene_shared.errors import ModelsBusy, RunnerCrashed, SpeechFailed
from sirene_shared.inference_requests import LoadReply, SpeakRequest
from sirene_shared.messages import InstallState
from sirene_shared.speech_stream import FRAME_BYTES, Frame
from tests.integration.api.roles import BODY, SIWIS, SPEECH, Downloader, Replica
from tests.integration.api.serving import Api, serving
from tests.support.nats import NatsServer
from tests.support.waiting import until

RATE_HZ = 22_050
RIFF_SIZE, DATA_SIZE = 4, 40


def size_at(header: bytes, offset: int) -> int:
    return int(struct.unpack_from("<I", header, offset)[0])


async def test_a_short_text_is_a_whole_wav_file(api: Api, speaking: Replica) -> None:
    answer = await api.http.post(SPEECH, json=BODY)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    spoken = BODY["input"].encode("utf-16-le")
    assert answer.content[44:] == spoken
    assert size_at(answer.content, DATA_SIZE) in (len(spoken), 0xFFFFFFFF)
    (request,) = speaking.spoken
    assert (request.text, request.voice, request.sample_rate) == (BODY["input"], "siwis", None)
    assert request.request_id == answer.headers["x-request-id"]


async def test_pcm_is_bare_and_at_24_khz(api: Api, speaking: Replica) -> None:
    answer = await api.http.post(SPEECH, json=BODY | {"response_format": "pcm"})
    assert answer.headers["content-type"] == "audio/pcm"
    assert answer.content == BODY["input"].encode("utf-16-le")
    assert speaking.spoken[0].sample_rate == 24_000


async def test_everything_asked_for_reaches_the_replica(api: Api, speaking: Replica) -> None:
    more = {"speed": 1.5, "instructions": "whisper", "sample_rate": 16_000, "unknown": [1]}
    answer = await api.http.post(SPEECH, json=BODY | more | {"voice": {"id": "siwis"}})
    assert answer.status_code == 200
    with wave.open(io.BytesIO(answer.content)) as audio:
        assert audio.getframerate() == 16_000
    (request,) = speaking.spoken
    assert (request.speed, request.instructions, request.voice) == (1.5, "whisper", "siwis")


async def test_the_first_sentence_arrives_before_the_second_is_made(
    api: Api, speaking: Replica
) -> None:
    goes_on = asyncio.Event()

    async def two_sentences(_: SpeakRequest) -> AsyncGenerator[Frame, None]:
        yield Frame(b"\1\0" * 100, RATE_HZ)
        await goes_on.wait()
        yield Frame(b"\2\0" * 100, RATE_HZ)

    speaking.speech = two_sentences
    async with api.http.stream("POST", SPEECH, json=BODY) as answer:
        chunks = answer.aiter_raw()
        heard = b""
        while len(heard) < 244:
            heard += await anext(chunks)
        assert heard[44:] == b"\1\0" * 100
        # How long it will be is not known yet.
        assert size_at(heard, RIFF_SIZE) == size_at(heard, DATA_SIZE) == 0xFFFFFFFF
        goes_on.set()
        heard += b"".join([chunk async for chunk in chunks])
    assert heard[244:] == b"\2\0" * 100


async def test_a_long_speech_arrives_whole(api: Api, speaking: Replica) -> None:
    samples = b"".join(bytes([count, 0]) * (FRAME_BYTES // 2) for count in range(100))

    async def long_speech(_: SpeakRequest) -> AsyncGenerator[Frame, None]:
        for start in range(0, len(samples), FRAME_BYTES):
            yield Frame(samples[start : start + FRAME_BYTES], RATE_HZ)

    speaking.speech = long_speech
    answer = await api.http.post(SPEECH, json=BODY)
    assert answer.content[44:] == samples


async def test_a_cold_model_is_loaded_first(
    api: Api, downloader: Downloader, replica: Replica
) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    answer = await api.http.post(SPEECH, json=BODY)
    assert answer.status_code == 200
    assert [request.ref for request in replica.loads] == [SIWIS]
    assert len(replica.spoken) == 1


async def test_a_model_that_stays_busy_is_503_after_the_deadline(
    nats_server: NatsServer, js: JetStreamContext, downloader: Downloader, replica: Replica
) -> None:
    async def no_slot() -> None:
        """The replica has loaded the model, and takes no request for it."""

    replica.serve = lambda ref: no_slot()
    await downloader.write(SIWIS, InstallState.INSTALLED)
    async with serving(nats_server.url, load_wait_s=0.3) as api:
        await until(lambda: list(api.app.catalog.models(installed=True)))
        answer = await api.http.post(SPEECH, json=BODY)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "models_busy"
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert len(replica.loads) > 1


async def test_without_a_replica_speech_is_503(api: Api, downloader: Downloader) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    answer = await api.http.post(SPEECH, json=BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_replica")


async def test_why_a_load_failed_is_the_answer(
    api: Api, downloader: Downloader, replica: Replica
) -> None:
    error = ModelsBusy("both models in memory are speaking", retry_after_s=3).failure()
    replica.load_error = LoadReply(replica="replica-1", error=error)
    await downloader.write(SIWIS, InstallState.INSTALLED)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    answer = await api.http.post(SPEECH, json=BODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


async def test_an_error_before_the_first_sound_is_a_proper_answer(
    api: Api, speaking: Replica
) -> None:
    async def fails(_: SpeakRequest) -> AsyncGenerator[Frame, None]:
        raise SpeechFailed("espeak-ng knows no such language")
        yield Frame(b"", 0)

    speaking.speech = fails
    answer = await api.http.post(SPEECH, json=BODY)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "speech_failed"
    assert answer.headers["x-should-retry"] == "false"


async def test_no_sound_at_all_is_an_error(api: Api, speaking: Replica) -> None:
    async def silent(_: SpeakRequest) -> AsyncGenerator[Frame, None]:
        for frame in ():
            yield frame

    speaking.speech = silent
    for kind in ("wav", "pcm"):
        answer = await api.http.post(SPEECH, json=BODY | {"response_format": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "speech_failed")


async def test_audio_that_breaks_off_is_never_a_clean_end(api: Api, speaking: Replica) -> None:
    async def breaks(_: SpeakRequest) -> AsyncGenerator[Frame, None]:
        yield Frame(b"\1\0" * 100, 24_000)
        raise RunnerCrashed("the runner has crashed")

    speaking.speech = breaks
    with pytest.raises(httpx.RemoteProtocolError):
        await api.http.post(SPEECH, json=BODY | {"response_format": "pcm"})


async def test_a_client_that_leaves_ends_the_work(api: Api, speaking: Replica) -> None:
    ended = asyncio.Event()

    async def endless(_: SpeakRequest) -> AsyncGenerator[Frame, None]:
        try:
            while True:
                yield Frame(b"\1\0" * 1000, RATE_HZ)
        finally:
            ended.set()

    speaking.speech = endless
    async with api.http.stream("POST", SPEECH, json=BODY) as answer:
        await anext(answer.aiter_raw())
    await until(ended.is_set)
    await until(lambda: speaking.is_idle)


async def test_a_client_that_leaves_before_the_first_sound_ends_the_work(
    api: Api, speaking: Replica
) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def thinks(_: SpeakRequest) -> AsyncGenerator[Frame, None]:
        try:
            began.set()
            await asyncio.Event().wait()
            yield Frame(b"", 0)
        finally:
            ended.set()

    speaking.speech = thinks
    asking = asyncio.create_task(api.http.post(SPEECH, json=BODY))
    await until(began.is_set)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await until(ended.is_set)
    await until(lambda: speaking.is_idle)
