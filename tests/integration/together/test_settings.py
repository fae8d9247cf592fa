"""What is in force, asked over HTTP of the services themselves."""

from typing import Any

import httpx
from nats.js import JetStreamContext

from sirene_downloader.settings import Settings as DownloaderSettings
from sirene_inference.settings import Settings as InferenceSettings
from sirene_shared import __version__, bus
from sirene_shared.messages import ReplicaStatus
from sirene_shared.settings import describe
from sirene_shared.subjects import REPLICAS
from tests.integration.downloader.rig import Rig
from tests.integration.together.conftest import Serving
from tests.support.waiting import until


def variables(told: Any) -> set[str]:
    """Every `variable` in an answer."""
    if isinstance(told, dict):
        own = {told["variable"]} if "variable" in told else set()
        return own.union(*map(variables, told.values()))
    return set().union(*map(variables, told)) if isinstance(told, list) else set()


async def test_what_downloaders_may_use_is_told_with_what_their_environment_said(
    rig: Rig, api_of_rig: Serving
) -> None:
    chosen = {
        "pulls": 3,
        "max_rate": "5MB",
        "pull_hours": "22:00-06:00",
        "mirrors": "https://mirror.example:8443/hub, https://other.example",
    }
    async with rig.running(**chosen), api_of_rig() as api:
        await api.http.patch("/api/downloads/limits", json={"pulls": 5})

        async def settled() -> Any:
            (told,) = (await api.http.get("/api/settings")).json()["downloaders"]
            return told if told["pulls"]["value"] == 5 else None

        told = None
        while told is None:
            told = await settled()
    assert told["pulls"] == {"value": 5, "own": 3, "variable": "SIRENE_PULLS"}
    assert told["max_rate"] == {
        "value": 5_000_000,
        "own": 5_000_000,
        "variable": "SIRENE_MAX_RATE",
    }
    assert told["hours"]["value"] == "22:00-06:00"
    assert told["keep_parts_h"]["value"] == 72
    assert told["version"] == __version__
    assert told["hub"]["endpoint"]["value"] == httpx.URL(rig.hub.url).netloc.decode()
    assert told["hub"]["mirrors"]["values"] == ["mirror.example:8443", "other.example"]
    assert told["hub"]["token"] == {"source": "none", "variable": "HF_TOKEN"}
    own = {name for setting in describe(DownloaderSettings) for name in setting.names}
    assert variables(told) <= own


async def test_what_a_replica_may_use_is_told(api_of_rig: Serving, js: JetStreamContext) -> None:
    status = ReplicaStatus(
        replica="r1",
        host="box",
        max_loaded_models=3,
        memory_limits={"cpu": 8 << 30},
        version="0.2.0",
        wanted_device="auto",
        max_memory="8GiB",
        keep_alive_s=300.0,
    )
    await bus.put(js, REPLICAS, "r1", status, ttl_s=60)
    async with api_of_rig() as api:
        await until(lambda: api.app.catalog.replicas)
        told = (await api.http.get("/api/settings")).json()
    assert told["downloaders"] == []
    (replica,) = told["replicas"]
    assert replica["max_loaded_models"]["value"] == 3
    assert replica["max_memory"] == {
        "value": "8GiB",
        "limits": {"cpu": 8 << 30},
        "variable": "INFERENCE_MAX_MEMORY",
    }
    assert replica["keep_alive"]["seconds"] == 300.0
    assert replica["device"]["in_use"] == "cpu"
    own = {name for setting in describe(InferenceSettings) for name in setting.names}
    assert variables(told) <= own
