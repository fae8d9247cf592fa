"""Two real replicas behind the real API: who is asked, what is shown, and what a death changes."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import numpy as np
import psutil
import pytest
from nats.js import JetStreamContext

from sirene_inference.backends import tone
from sirene_shared.inference_requests import LoadReply, LoadRequest
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from sirene_shared.subjects import LOAD
from tests.integration.api.roles import SPEECH, Downloader
from tests.integration.api.serving import serving
from tests.integration.inference.conftest import Start
from tests.support.inference import Inference, InferenceProcess, are_gone
from tests.support.models_volume import ModelsVolume
from tests.support.nats import NatsServer
from tests.support.waiting import until

# The sockets hold far more audio than this is; what keeps it in use is its slow words.
LONG_TEXT = "This takes its time. #slow. " * 60


class Pair(NamedTuple):
    """Two replicas of one slot for a model, and their API."""

    http: httpx.AsyncClient
    replicas: dict[str, InferenceProcess]
    refs: list[ModelRef]
    """Installed."""
    inference: Inference

    async def speak(self, ref: ModelRef, text: str) -> str:
        """What is heard."""
        body = {"model": ref.id, "input": text, "voice": "alloy", "response_format": "pcm"}
        answer = await self.http.post(SPEECH, json=body)
        assert answer.is_success, answer.text
        return tone.decode(np.frombuffer(answer.content, "<i2").astype(np.float32), 24_000)

    async def load_on(self, replica: str, ref: ModelRef) -> None:
        request = LoadRequest(model=ref.model, variant=ref.variant, wait_s=20)
        reply = await self.inference.nc.request(LOAD.at(replica), request.encode(), timeout=30)
        assert LoadReply.decode(reply.data).replica == replica

    async def loaded(self) -> list[dict[str, Any]]:
        models: list[dict[str, Any]] = (await self.http.get("/api/models/loaded")).json()["models"]
        return models

    async def shown(self, *expected: tuple[str, ModelRef]) -> list[dict[str, Any]]:
        """Once these are what is loaded, on these replicas."""
        async with asyncio.timeout(15):
            while True:
                told = [each for each in await self.loaded() if each["state"] == "loaded"]
                found = {(each["replica"], each["id"]) for each in told}
                if found == {(replica, ref.id) for replica, ref in expected}:
                    return told
                await asyncio.sleep(0.02)

    def runners(self) -> dict[str, int]:
        return {name: len(process.runners()) for name, process in self.replicas.items()}

    def loads(self) -> dict[str, int]:
        """How many each has made so far."""
        logs = {name: process.log.read_text() for name, process in self.replicas.items()}
        return {name: log.count(" loaded tone:") for name, log in logs.items()}

    def other(self, replica: str) -> str:
        (name,) = set(self.replicas) - {replica}
        return name


@pytest.fixture
async def pair(
    nats_server: NatsServer,
    js: JetStreamContext,
    start: Start,
    volume: ModelsVolume,
    inference: Inference,
) -> AsyncIterator[Pair]:
    refs = [volume.add_tone(name, memory_bytes=20_000_000) for name in ("first", "second", "third")]
    names = ("left", "right")
    settings = {"INFERENCE_MAX_LOADED_MODELS": 1, "INFERENCE_CONCURRENCY": 1}
    replicas = {name: start(SIRENE_REPLICA_ID=name, **settings) for name in names}
    downloader = Downloader(inference.nc, js)
    for ref in refs:
        await downloader.write(ref, InstallState.INSTALLED)
    await inference.ready(*replicas.values())
    async with serving(
        nats_server.url, manifests_path=volume.manifests, load_wait_s=20.0, unload_wait_s=20.0
    ) as api:
        catalog = api.app.catalog
        await until(lambda: len(list(catalog.models(installed=True))) == len(refs))
        await until(lambda: set(catalog.replicas) == set(names))
        yield Pair(api.http, replicas, refs, inference)


async def test_a_request_goes_where_its_model_is_and_a_cold_model_where_there_is_room(
    pair: Pair,
) -> None:
    first, second, third = pair.refs
    answer = (await pair.http.post(f"/api/models/{first.id}/load")).json()
    here, there = answer["replica"], pair.other(answer["replica"])
    for number in range(4):
        assert await pair.speak(first, f"Number {number}") == f"Number {number}"
    assert pair.runners() == {here: 1, there: 0}

    await pair.shown((here, first))
    assert await pair.speak(second, "Cold") == "Cold"
    assert pair.runners() == {here: 1, there: 1}
    await pair.shown((here, first), (there, second))
    for ref in (first, second, first, second):
        assert await pair.speak(ref, ref.variant) == ref.variant
    # Nothing was loaded twice for that; for a third one, one of them leaves.
    assert pair.loads() == {here: 1, there: 1}
    await pair.shown((here, first), (there, second))
    answer = (await pair.http.post(f"/api/models/{third.id}/load")).json()
    stays = {here: (there, second), there: (here, first)}[answer["replica"]]
    await pair.shown((answer["replica"], third), stays)
    assert pair.loads() == {here: 1, there: 1} | {answer["replica"]: 2}


async def test_an_unload_reaches_both_and_reports_each(pair: Pair) -> None:
    first, *_ = pair.refs
    for name in pair.replicas:
        await pair.load_on(name, first)
    await pair.shown(("left", first), ("right", first))
    answer = await pair.http.post("/models/unload", json={"model": first.id})
    told = answer.json()
    assert told["errors"] == []
    assert {each["replica"] for each in told["unloaded"]} == {"left", "right"}
    assert {each["id"] for each in told["unloaded"]} == {first.id}
    assert all(each["freed_bytes"] > 20_000_000 for each in told["unloaded"])
    assert pair.runners() == {"left": 0, "right": 0}
    await pair.shown()


async def test_what_each_holds_is_shown_with_its_use_and_its_end(pair: Pair) -> None:
    first, second, _ = pair.refs
    await pair.load_on("left", first)
    await pair.load_on("right", second)
    speaking = {"model": second.id, "input": LONG_TEXT, "voice": "alloy", "response_format": "pcm"}
    async with pair.http.stream("POST", SPEECH, json=speaking) as speech:
        await anext(speech.aiter_raw())
        async with asyncio.timeout(10):
            told: dict[str, dict[str, Any]] = {}
            while told.get("right", {}).get("in_flight") != 1:
                found = await pair.shown(("left", first), ("right", second))
                told = {each["replica"]: each for each in found}
    left, right = told["left"], told["right"]
    assert left["device"] == right["device"] == "cpu"
    assert left["memory_bytes"] > 20_000_000
    assert right["memory_bytes"] > 20_000_000
    assert left["load_s"] > 0
    # One is idle, has a time to leave, and is the first to; the other is used and is neither.
    assert (left["in_flight"], left["is_next"]) == (0, True)
    assert left["idle_s"] >= 0
    assert 0 < left["expires_at"] - time.time() < 301
    assert (right["in_flight"], right["is_next"], right["expires_at"]) == (1, False, None)


async def test_the_other_serves_once_one_is_killed_and_its_models_are_shown_no_more(
    pair: Pair,
) -> None:
    first, second, _ = pair.refs
    await pair.load_on("left", first)
    await pair.load_on("right", second)
    await pair.shown(("left", first), ("right", second))
    left: list[psutil.Process] = pair.replicas["left"].children()
    pair.replicas["left"].send(signal.SIGKILL)
    await until(lambda: are_gone(left))
    # At once, though the view may still show who is gone.
    assert await pair.speak(first, "Elsewhere") == "Elsewhere"
    assert len(pair.replicas["right"].runners()) == 1
    await pair.shown(("right", first))
    replicas = (await pair.http.get("/api/models/loaded")).json()["replicas"]
    assert [each["replica"] for each in replicas] == ["right"]
