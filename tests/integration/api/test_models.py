"""The catalogue joined with the state of the models."""

import pytest

from sirene_shared.errors import DiskFull
from sirene_shared.messages import InstallState
from tests.integration.api.roles import LESSAC, SIWIS, Downloader, Replica, downloading, loaded
from tests.integration.api.serving import Api
from tests.support.waiting import until


async def state_of(api: Api, model_id: str) -> str:
    return (await api.http.get(f"/api/models/{model_id}")).json()["state"]


async def test_every_model_of_the_manifests_is_listed_as_absent_at_first(api: Api) -> None:
    models = (await api.http.get("/api/models")).json()["models"]
    siwis = next(model for model in models if model["id"] == SIWIS.id)
    assert {model["state"] for model in models} == {"absent"}
    assert sum(model["is_default"] for model in models if model["name"] == "piper") == 1
    assert siwis["license"] == "CC-BY-4.0"
    assert siwis["voices"][0]["language"] == "fr-FR"
    assert siwis["size_bytes"] == 63_201_294 + 4_875
    assert siwis["transfer"] is None
    assert (await api.http.get("/api/models/catalog")).json()["models"] == models


async def test_the_state_is_joined_as_it_is_written(api: Api, downloader: Downloader) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED, size_bytes=63_000_000, revision="abc")
    await downloader.write(
        LESSAC, InstallState.DOWNLOADING, job="j1", seq=3, transfer=downloading(250)
    )
    await until(lambda: len(list(api.app.catalog.models(installed=True))) == 1)

    installed = (await api.http.get("/api/models/installed")).json()
    assert [model["id"] for model in installed["models"]] == [SIWIS.id]
    assert installed["total_bytes"] == 63_000_000
    filtered = (await api.http.get("/api/models?installed=true")).json()["models"]
    assert filtered == installed["models"]

    await until(lambda: api.app.catalog.status(LESSAC).job == "j1")
    view = (await api.http.get(f"/api/models/{LESSAC.id}")).json()
    assert (view["state"], view["job"]) == ("downloading", "j1")
    assert view["transfer"]["percent"] == 25.0
    assert view["transfer"]["file"] == "model.onnx"


async def test_a_failed_model_tells_why(api: Api, downloader: Downloader) -> None:
    failure = DiskFull("no space left", hint="Free 60 MB.").failure()
    await downloader.write(SIWIS, InstallState.FAILED, job="j1", error=failure)
    await until(lambda: api.app.catalog.status(SIWIS).error)
    error = (await api.http.get(f"/api/models/{SIWIS.id}")).json()["error"]
    assert error == {
        "message": "no space left",
        "type": "server_error",
        "code": "disk_full",
        "param": None,
        "hint": "Free 60 MB.",
    }


async def test_what_is_in_memory_shows_with_its_model_and_its_replica(
    api: Api, replica: Replica
) -> None:
    await replica.report(loaded(SIWIS, in_flight=1))
    await until(lambda: api.app.catalog.loaded())
    answer = (await api.http.get("/api/models/loaded")).json()
    (model,) = answer["models"]
    assert (model["id"], model["replica"], model["host"]) == (SIWIS.id, "replica-1", "box")
    assert answer["replicas"][0]["models"] == [model]
    assert (await api.http.get(f"/api/models/{SIWIS.id}")).json()["loaded"] == [model]


async def test_a_deleted_state_is_absent_again(api: Api, downloader: Downloader, js) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    await (await js.key_value("sirene-models")).delete(SIWIS.key)
    await until(lambda: not list(api.app.catalog.models(installed=True)))
    assert await state_of(api, SIWIS.id) == "absent"


@pytest.mark.parametrize("model_id", ["piper", SIWIS.id, "piper%3Afr_FR-siwis-medium"])
async def test_a_model_is_found_by_name_and_by_variant(api: Api, model_id: str) -> None:
    assert (await api.http.get(f"/api/models/{model_id}")).json()["id"] in (SIWIS.id, LESSAC.id)


@pytest.mark.parametrize(
    ("model_id", "code"),
    [("nope", "model_not_found"), ("piper:nope", "variant_not_found")],
)
async def test_an_unknown_model_is_404(api: Api, model_id: str, code: str) -> None:
    answer = await api.http.get(f"/api/models/{model_id}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == code
    assert answer.headers["x-request-id"].startswith("req_")


async def test_the_start_page_lists_the_models_and_loads_nothing(
    api: Api, downloader: Downloader
) -> None:
    await downloader.write(SIWIS, InstallState.INSTALLED, size_bytes=63_000_000)
    await until(lambda: list(api.app.catalog.models(installed=True)))
    page = await api.http.get("/")
    assert SIWIS.id in page.text
    assert "installed" in page.text
    assert "63 MB" in page.text
    assert 'href="/schema"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (await api.http.head("/")).status_code == 200
