"""How states, ticks and replicas become one view."""

import pytest

from sirene_api.catalog import Catalog
from sirene_shared.manifest import Catalogue, parse
from sirene_shared.messages import (
    InstallState,
    LoadedModel,
    LoadedState,
    ModelStatus,
    Phase,
    Progress,
    ReplicaStatus,
    Transfer,
)
from sirene_shared.names import ModelRef

REF = ModelRef("toy", "v1.0")
MANIFEST = b"""{ "name": "toy", "description": "A toy", "backend": "tone", "license": "MIT",
  "variants": { "v1.0": { "files": ["model.onnx"], "url": "https://hub.example/", "size": 5 },
                "v2": { "files": ["model.onnx"], "url": "https://hub.example/" } },
  "defaults": { "variant": "v1.0", "sample_rate": 16000 } }"""


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def catalog(told: list[str]) -> Catalog:
    return Catalog(
        Catalogue({"toy": parse(MANIFEST, "toy")}),
        model_changed=lambda model: told.append(model.ref.id),
        replica_changed=told.append,
        remembered_jobs=2,
    )


def status(state: InstallState, seq: int, done: int = 0, job: str = "j1") -> bytes:
    transfer = Transfer(phase=Phase.DOWNLOADING, done_bytes=done, total_bytes=1000)
    return ModelStatus(
        model="toy", variant="v1.0", state=state, job=job, seq=seq, transfer=transfer
    ).encode()


def tick(seq: int, done: int, job: str = "j1") -> bytes:
    transfer = Transfer(phase=Phase.DOWNLOADING, done_bytes=done, total_bytes=1000)
    return Progress(model="toy", variant="v1.0", job=job, seq=seq, transfer=transfer).encode()


def done_bytes(catalog: Catalog) -> int:
    transfer = catalog.status(REF).transfer
    assert transfer is not None
    return transfer.done_bytes


def test_ticks_only_move_the_pull_they_belong_to_and_only_forward(
    catalog: Catalog, told: list[str]
) -> None:
    catalog.take_progress(tick(1, 1))  # nothing is known of a pull yet
    catalog.take_status(REF.key, status(InstallState.DOWNLOADING, 2, 200))
    catalog.take_progress(tick(3, 300))
    catalog.take_progress(tick(3, 1))
    catalog.take_progress(tick(9, 900, job="other"))
    assert done_bytes(catalog) == 300
    assert told == [REF.id, REF.id]


def test_a_written_state_that_ticks_overtook_keeps_their_progress(catalog: Catalog) -> None:
    catalog.take_status(REF.key, status(InstallState.DOWNLOADING, 1, 100))
    catalog.take_progress(tick(5, 500))
    catalog.take_status(REF.key, status(InstallState.VERIFYING, 4, 400))
    assert done_bytes(catalog) == 500
    assert catalog.status(REF).state is InstallState.VERIFYING


def test_a_downloader_that_begins_anew_is_believed(catalog: Catalog) -> None:
    catalog.take_status(REF.key, status(InstallState.DOWNLOADING, 8, 800))
    catalog.take_progress(tick(9, 900))
    catalog.take_status(REF.key, status(InstallState.DOWNLOADING, 1, 100))
    assert done_bytes(catalog) == 100


def test_a_tick_after_the_end_changes_nothing(catalog: Catalog) -> None:
    catalog.take_status(REF.key, status(InstallState.FAILED, 3))
    catalog.take_progress(tick(4, 400))
    assert catalog.status(REF).seq == 3


def test_how_a_pull_ended_is_known_after_the_next_began(catalog: Catalog) -> None:
    catalog.take_status(REF.key, status(InstallState.FAILED, 3, job="j1"))
    catalog.take_status(REF.key, status(InstallState.QUEUED, 0, job="j2"))
    ended, running = catalog.status_of_job(REF, "j1"), catalog.status_of_job(REF, "j2")
    assert ended is not None
    assert running is not None
    assert (ended.state, running.state) == (InstallState.FAILED, InstallState.QUEUED)
    assert catalog.status_of_job(REF, "j3") is None
    for count in range(2):
        catalog.take_status(REF.key, status(InstallState.FAILED, 1, job=f"later-{count}"))
    assert catalog.status_of_job(REF, "j1") is None


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"model": 1}', b"null"])
def test_what_cannot_be_read_is_left_out(catalog: Catalog, told: list[str], body: bytes) -> None:
    catalog.take_status(REF.key, body)
    catalog.take_status("no-variant", body)
    catalog.take_progress(body)
    catalog.take_replica("r1", body)
    assert told == []


def test_a_state_of_a_model_without_a_manifest_is_not_shown(
    catalog: Catalog, told: list[str]
) -> None:
    catalog.take_status("gone.v1", status(InstallState.INSTALLED, 1))
    assert told == []
    assert [view.id for view in catalog.views()] == [REF.id, "toy:v2"]


def test_a_model_is_told_of_when_it_enters_or_leaves_a_memory(
    catalog: Catalog, told: list[str]
) -> None:
    def replica(**fields: float) -> bytes:
        model = LoadedModel(model="toy", variant="v1.0", state=LoadedState.LOADED, **fields)
        return ReplicaStatus(replica="r1", models=(model,)).encode()

    catalog.take_replica("r1", replica())
    assert told == ["r1", REF.id]
    catalog.take_replica("r1", replica(idle_s=5.0))  # no change of the model's own
    assert told == ["r1", REF.id, "r1"]
    catalog.take_replica("r1", None)
    assert told[3:] == ["r1", REF.id]
    assert catalog.loaded() == []


def test_the_published_facts_are_in_the_view(catalog: Catalog) -> None:
    view = catalog.view(catalog.find("toy"))
    assert (view.is_default, view.sample_rate, view.size_bytes) == (True, 16_000, 5)
    assert (view.state, view.transfer, view.error) == (InstallState.ABSENT, None, None)
    assert catalog.view(catalog.find("toy", "v2")).size_bytes is None
