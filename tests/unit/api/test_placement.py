"""Where a model is loaded that no replica speaks at once."""

from sirene_api.placement import expected_bytes, places, room
from sirene_shared.manifest import Variant
from sirene_shared.messages import LoadedModel, LoadedState, ReplicaStatus
from sirene_shared.names import ModelRef

ASKED = ModelRef("kokoro", "v1.0")


def held(variant: str = "other", **fields: object) -> LoadedModel:
    defaults: dict[str, object] = {"state": LoadedState.LOADED, "memory_bytes": 300}
    return LoadedModel(model="kokoro", variant=variant, **(defaults | fields))


def replica(name: str, *models: LoadedModel, limit: int = 1000, slots: int = 2) -> ReplicaStatus:
    return ReplicaStatus(
        replica=name,
        max_loaded_models=slots,
        memory_limits={"cpu": limit},
        memory_taken={"cpu": sum(model.memory_bytes for model in models)},
        models=models,
    )


def variant(**fields: int) -> Variant:
    return Variant(files=("model.onnx",), url="https://example.org/", **fields)


def asked(*replicas: ReplicaStatus, size: int = 300) -> list[str]:
    return places(replicas, ASKED, {"cpu": size, "cuda": size}, dice=lambda: 0.5)


def test_who_loads_it_already_is_asked_first_then_who_has_room() -> None:
    full = replica("full", held("x", in_flight=1), held("y", in_flight=1))
    roomy = replica("roomy", held("x"))
    empty = replica("empty")
    loading = replica("loading", held("v1.0", state=LoadedState.LOADING), held("x"))
    assert asked(full, roomy, empty, loading) == ["loading", "empty", "roomy", "full"]


def test_a_free_slot_without_the_memory_is_no_room() -> None:
    small = replica("small", held("x", memory_bytes=900))
    crowded = replica("crowded", held("x", idle_s=5.0), held("y", idle_s=1.0))
    roomy = replica("roomy", limit=400)
    assert asked(small, crowded, roomy) == ["roomy", "crowded", "small"]


def test_where_others_must_leave_the_longest_idle_goes() -> None:
    short = replica("short", held("x", idle_s=3.0), held("y", in_flight=1))
    long = replica("long", held("x", idle_s=90.0), held("y", in_flight=1))
    pinned = replica("pinned", held("x", idle_s=900.0, pinned=True), held("y", in_flight=1))
    assert asked(short, pinned, long) == ["long", "short", "pinned"]


def test_a_replica_where_it_never_fits_is_not_asked() -> None:
    assert asked(replica("small", limit=200), replica("large")) == ["large"]


def test_a_copy_without_a_free_slot_comes_after_an_empty_place_and_before_an_eviction() -> None:
    busy = replica("busy", held("v1.0", in_flight=2))
    crowded = replica("crowded", held("x", idle_s=5.0), held("y", idle_s=1.0))
    assert asked(crowded, busy, replica("empty")) == ["empty", "busy", "crowded"]


def test_replicas_that_are_equal_share_the_loads() -> None:
    equals = [replica(name) for name in "abcd"]
    assert len({places(equals, ASKED, {"cpu": 1})[0] for _ in range(200)}) == 4


def test_a_replica_of_an_older_version_tells_no_limits_and_is_asked() -> None:
    older = ReplicaStatus(replica="older", max_loaded_models=2)
    assert asked(older, size=10**12) == ["older"]


def test_what_was_measured_counts_more_than_the_manifest() -> None:
    replicas = [replica("a", held("v1.0", device="cpu", memory_bytes=700)), replica("b")]
    told = variant(memory=100, memory_cpu=200)
    assert expected_bytes(replicas, ASKED, told) == {"cpu": 700, "cuda": 100}
    assert expected_bytes([replica("b")], ASKED, told) == {"cpu": 200, "cuda": 100}
    assert expected_bytes([], ASKED, variant(memory=100)) == {"cpu": 100, "cuda": 100}
    assert expected_bytes([], ASKED, variant(size=300)) == {"cpu": 300, "cuda": 300}
    assert expected_bytes([], ASKED, variant()) == {"cpu": 0, "cuda": 0}


def test_a_model_that_takes_more_on_a_cpu_goes_to_the_gpu_it_fits_on() -> None:
    on_cpu = replica("cpu", limit=600)
    on_gpu = ReplicaStatus(replica="gpu", max_loaded_models=2, memory_limits={"cuda": 600})
    size = {"cpu": 790, "cuda": 520}
    assert places([on_cpu, on_gpu], ASKED, size, dice=lambda: 0.5) == ["gpu"]
    assert places([on_cpu, on_gpu], ASKED, size | {"cpu": 590}, dice=lambda: 0.5)[1:]


def test_room_is_what_the_bound_and_the_machine_both_leave_with_all_others_gone() -> None:
    def measured(available: int, **limits: int) -> ReplicaStatus:
        return ReplicaStatus(
            replica="one",
            memory_available_bytes=available,
            memory_limits=limits,
            models=(held(memory_bytes=300),),
        )

    assert room(measured(500)) == 800
    assert room(measured(500, cpu=1000)) == 800
    assert room(measured(5000, cpu=1000)) == 1000
    assert room(measured(500, cpu=1000, cuda=9000)) == 9000
