"""Loading ahead, and freeing what every replica holds."""

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_shared.errors import ModelInUse, ModelsBusy
from sirene_shared.messages import InstallState, LoadReply, UnloadReply
from tests.integration.api.conftest import one_frame
from tests.integration.api.roles import LESSAC, SIWIS, Downloader, Replica, loaded
from tests.integration.api.serving import Api
from tests.support.waiting import until

LOAD = f"/api/models/{SIWIS.id}/load"
UNLOAD = f"/api/models/{SIWIS.id}/unload"


@pytest.fixture
async def installed(api: Api, downloader: Downloader) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED)
    await until(lambda: list(api.app.catalog.models(installed=True)))


@pytest.fixture
async def second(nc: Client, js: JetStreamContext) -> Replica:
    playing = Replica(nc, js, "replica-2", one_frame)
    await playing.start()
    await playing.report()
    return playing


async def test_a_load_answers_once_the_model_is_in_memory(
    api: Api, installed: None, replica: Replica
) -> None:
    answer = await api.http.post(LOAD)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": SIWIS.id,
        "replica": "replica-1",
        "device": "cpu",
        "memory_bytes": 5000,
        "load_s": 0.5,
    }
    assert replica.loads[0].wait_s == 5.0


async def test_what_the_replica_answers_is_the_answer(
    api: Api, installed: None, replica: Replica
) -> None:
    busy = ModelsBusy("all slots are taken", hint="Wait.", retry_after_s=900)
    replica.load_error = LoadReply(replica=replica.name, error=busy.failure())
    answer = await api.http.post(LOAD)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"  # longer ones make the SDK give up
    assert answer.headers["x-should-retry"] == "true"
    assert answer.json()["error"] == {
        "message": "all slots are taken",
        "type": "overloaded_error",
        "code": "models_busy",
        "param": None,
        "hint": "Wait.",
    }


async def test_without_a_replica_a_load_is_503(api: Api, installed: None) -> None:
    answer = await api.http.post(LOAD)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "no_replica"
    assert answer.headers["retry-after"] == "5"


async def test_only_what_is_installed_can_be_loaded(
    api: Api, downloader: Downloader, replica: Replica
) -> None:
    assert (await api.http.post(LOAD)).json()["error"]["code"] == "model_not_installed"
    await downloader.write(SIWIS, InstallState.DAMAGED)
    await until(lambda: api.app.catalog.status(SIWIS).state is InstallState.DAMAGED)
    answer = await api.http.post(LOAD)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "model_damaged")
    assert replica.loads == []


async def test_an_unload_reaches_every_replica_and_tells_what_each_freed(
    api: Api, replica: Replica, second: Replica
) -> None:
    await until(lambda: len(api.app.catalog.replicas) == 2)
    second.unload_reply = UnloadReply(replica="replica-2", was_loaded=True, freed_bytes=7)
    answer = await api.http.post(UNLOAD)
    assert answer.status_code == 200
    told = {one["replica"]: one["freed_bytes"] for one in answer.json()["unloaded"]}
    assert told == {"replica-1": 5000, "replica-2": 7}
    assert answer.json()["errors"] == []


async def test_one_replica_that_fails_does_not_hide_the_other(
    api: Api, replica: Replica, second: Replica
) -> None:
    await until(lambda: len(api.app.catalog.replicas) == 2)
    in_use = ModelInUse("it still speaks").failure()
    second.unload_reply = UnloadReply(replica="replica-2", was_loaded=True, error=in_use)
    answer = (await api.http.post("/models/unload", json={"model": SIWIS.id})).json()
    assert [one["replica"] for one in answer["unloaded"]] == ["replica-1"]
    assert [(one["replica"], one["error"]["code"]) for one in answer["errors"]] == [
        ("replica-2", "model_in_use")
    ]


async def test_a_replica_that_has_gone_is_not_waited_for(
    api: Api, replica: Replica, nc: Client, js: JetStreamContext
) -> None:
    silent = Replica(nc, js, "silent", one_frame)
    await silent.report()
    await until(lambda: len(api.app.catalog.replicas) == 2)
    await silent.vanish()
    answer = await api.http.post(UNLOAD)
    assert [one["replica"] for one in answer.json()["unloaded"]] == ["replica-1"]


async def test_everything_can_be_unloaded_at_once(api: Api, replica: Replica) -> None:
    await replica.report(loaded(SIWIS), loaded(LESSAC))
    await until(lambda: len(api.app.catalog.loaded()) == 2)
    answer = await api.http.post("/models/unload", json={"all": True})
    assert {one["id"] for one in answer.json()["unloaded"]} == {SIWIS.id, LESSAC.id}


@pytest.mark.parametrize("body", [{}, {"all": False}, {"model": SIWIS.id, "all": True}])
async def test_an_unload_must_say_of_what(api: Api, body: dict[str, object]) -> None:
    answer = await api.http.post("/models/unload", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "model"


async def test_with_nothing_in_memory_an_unload_is_an_empty_list(
    api: Api, replica: Replica
) -> None:
    replica.unload_reply = UnloadReply(replica=replica.name)
    assert (await api.http.post(UNLOAD)).json() == {"unloaded": [], "errors": []}
    everything = await api.http.post("/models/unload", json={"all": True})
    assert everything.json() == {"unloaded": [], "errors": []}


async def test_without_a_replica_an_unload_is_an_empty_list(api: Api) -> None:
    assert (await api.http.post(UNLOAD)).json() == {"unloaded": [], "errors": []}
