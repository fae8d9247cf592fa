"""Loading ahead, and freeing what every replica holds."""

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from sirene_shared.errors import ModelInUse, ModelsBusy, ModelTooLarge
from sirene_shared.inference_requests import LoadReply, UnloadReply
from sirene_shared.messages import InstallState
from sirene_shared.names import ModelRef
from tests.integration.api.conftest import one_frame
from tests.integration.api.roles import LESSAC, SIWIS, Downloader, Replica, loaded
from tests.integration.api.serving import Api
from tests.support.waiting import until

LOAD = f"/api/models/{SIWIS.id}/load"
UNLOAD = f"/api/models/{SIWIS.id}/unload"
PIN = f"/api/models/{SIWIS.id}/pin"


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


async def test_a_cold_model_is_loaded_on_the_replica_with_room(
    api: Api, installed: None, replica: Replica, second: Replica
) -> None:
    await replica.report(loaded(LESSAC), loaded(ModelRef("piper", "another")))
    await until(lambda: len(api.app.catalog.loaded()) == 2)
    for _ in range(5):
        assert (await api.http.post(LOAD)).json()["replica"] == "replica-2"
    assert replica.loads == []


async def test_where_it_does_not_fit_the_next_replica_is_asked(
    api: Api, installed: None, replica: Replica, second: Replica
) -> None:
    await second.report(loaded(LESSAC))
    await until(lambda: len(api.app.catalog.loaded()) == 1)
    too_large = ModelTooLarge("it takes 9 GB, 8 GB are allowed")
    replica.load_error = LoadReply(replica=replica.name, error=too_large.failure())
    assert (await api.http.post(LOAD)).json()["replica"] == "replica-2"
    second.load_error = LoadReply(replica=second.name, error=too_large.failure())
    answer = await api.http.post(LOAD)
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "model_too_large")
    assert answer.headers["x-should-retry"] == "false"


async def test_a_load_says_how_long_the_model_stays(
    api: Api, installed: None, replica: Replica
) -> None:
    for given, seconds in [("5m", 300.0), ("-1", -1.0), ("0", 0.0)]:
        assert (await api.http.post(f"{LOAD}?keep_alive={given}&pin=true")).status_code == 200
        assert replica.loads[-1].keep_alive_s == seconds
        assert replica.loads[-1].pin
    answer = await api.http.post(f"{LOAD}?keep_alive=soon")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "keep_alive")


async def test_a_pin_reaches_whoever_holds_the_model_and_else_loads_it(
    api: Api, installed: None, replica: Replica, second: Replica
) -> None:
    await until(lambda: len(api.app.catalog.replicas) == 2)
    second.holds = True
    answer = await api.http.post(PIN)
    assert answer.json() == {"id": SIWIS.id, "pinned": True, "replicas": ["replica-2"]}
    assert [pin.pinned for pin in replica.pins + second.pins] == [True, True]
    answer = await api.http.post(f"/api/models/{SIWIS.id}/unpin")
    assert answer.json() == {"id": SIWIS.id, "pinned": False, "replicas": ["replica-2"]}
    assert second.pins[-1].pinned is False
    assert replica.loads + second.loads == []
    second.holds = False
    answer = await api.http.post(PIN)
    (load,) = replica.loads + second.loads
    assert load.pin
    assert len(answer.json()["replicas"]) == 1


async def test_an_unload_may_cut_speech_off(api: Api, replica: Replica) -> None:
    await api.http.post(f"{UNLOAD}?force=true")
    await api.http.post("/models/unload", json={"model": SIWIS.id, "force": True})
    await api.http.post(UNLOAD)
    assert [request.force for request in replica.unloads] == [True, True, False]


async def test_what_is_in_memory_is_told_with_when_it_leaves(api: Api, replica: Replica) -> None:
    await replica.report(
        loaded(SIWIS, pinned=True),
        loaded(LESSAC, expires_at=1764042190.1, is_next=True, idle_s=12.5, in_flight=0),
        memory_limits={"cpu": 9000},
        memory_taken={"cpu": 7000},
    )
    await until(lambda: len(api.app.catalog.loaded()) == 2)
    told = (await api.http.get("/api/models/loaded")).json()
    models = {model["id"]: model for model in told["models"]}
    assert models[SIWIS.id]["pinned"]
    assert models[SIWIS.id]["expires_at"] is None
    assert models[LESSAC.id]["is_next"]
    assert models[LESSAC.id]["expires_at"] == 1764042190.1
    assert told["replicas"][0]["memory_limits"] == {"cpu": 9000}
    assert told["replicas"][0]["memory_taken"] == {"cpu": 7000}
