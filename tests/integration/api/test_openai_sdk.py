"""OpenAI's own client against our API, as a program uses it."""

from collections.abc import AsyncIterator

import openai
import pytest

from sirene_shared.messages import InstallState
from tests.integration.api.roles import SIWIS, Downloader, Replica
from tests.integration.api.serving import Api
from tests.support.waiting import until


@pytest.fixture
async def client(api: Api, downloader: Downloader) -> AsyncIterator[openai.AsyncOpenAI]:
    await downloader.write(SIWIS, InstallState.INSTALLED, changed_at=1_700_000_000.5)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    async with openai.AsyncOpenAI(base_url=f"{api.url}/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


async def test_it_streams_speech(client: openai.AsyncOpenAI, replica: Replica) -> None:
    heard = b""
    async with client.audio.speech.with_streaming_response.create(
        model=SIWIS.id, voice="alloy", input="Bonjour", response_format="pcm"
    ) as answer:
        async for chunk in answer.iter_bytes():
            heard += chunk
    assert heard == "Bonjour".encode("utf-16-le")


async def test_it_lists_what_is_installed(client: openai.AsyncOpenAI) -> None:
    models = [model async for model in await client.models.list()]
    assert [(model.id, model.object, model.created) for model in models] == [
        (SIWIS.id, "model", 1_700_000_000)
    ]
    assert (await client.models.retrieve(SIWIS.id)).id == SIWIS.id


async def test_it_gets_its_own_errors(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.models.retrieve("some/thing:else")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.speech.create(model=SIWIS.id, voice="nobody", input="Bonjour")
    assert (refused.value.code, refused.value.param) == ("voice_not_found", "voice")
    assert refused.value.request_id is not None
    with pytest.raises(openai.InternalServerError) as away:
        await client.audio.speech.create(
            model=SIWIS.id, voice="alloy", input="Bonjour", response_format="wav"
        )
    assert away.value.code == "no_replica"


async def test_the_lists_that_other_clients_look_for(client: openai.AsyncOpenAI, api: Api) -> None:
    models = (await api.http.get("/v1/audio/models")).json()
    assert models["object"] == "list"
    assert models["data"] == models["models"]
    assert models["data"][0]["id"] == SIWIS.id
    voices = {"object": "list", "voices": [{"id": "siwis", "name": "Siwis (medium)"}]}
    assert (await api.http.get("/v1/audio/voices")).json() == voices
    assert (await api.http.get("/v1/audio/voices", params={"model": SIWIS.id})).json() == voices
    cloning = await api.http.get("/v1/audio/voices", params={"model": "f5tts"})
    assert (cloning.status_code, cloning.json()["voices"]) == (200, [])
    assert (await api.http.get("/v1/audio/voices?model=nope")).status_code == 404
