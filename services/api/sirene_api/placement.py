"""Which replica is asked for a model that no replica speaks at once: the one with room."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sirene_shared.manifest import Variant
from sirene_shared.messages import LoadedModel, LoadedState, ReplicaStatus
from sirene_shared.names import ModelRef

DEVICES = ("cpu", "cuda")


class Rank(NamedTuple):
    """The lower, the better."""

    tier: int
    """0: it loads it already; 1: there is room; 2: it has it, without a free slot; 3: others leave
    first; 4: all there is in use."""
    order: float
    dice: float
    """So that equals share the load."""


def places(
    replicas: Iterable[ReplicaStatus],
    ref: ModelRef,
    expected_bytes: Mapping[str, int],
    *,
    dice: Callable[[], float] = random.random,
) -> list[str]:
    """The names of those to ask, the best first; those it can never fit are left out.

    expected_bytes: by device.
    Only advice, since what replicas tell is a moment old: each decides for itself.
    """
    ranked = [
        (_rank(replica, ref, expected_bytes[device_of(replica)], dice()), replica.replica)
        for replica in replicas
        if expected_bytes[device_of(replica)] <= _limit(replica)
    ]
    return [name for _, name in sorted(ranked)]


def expected_bytes(
    replicas: Iterable[ReplicaStatus], ref: ModelRef, variant: Variant
) -> dict[str, int]:
    """By device: what some replica has measured on such a one, or else the manifest's estimate."""
    found = {}
    for device in DEVICES:
        measured = [
            each.memory_bytes
            for replica in replicas
            for each in replica.models
            if each.ref == ref and each.device == device
        ]
        estimate = variant.memory_on(device) or variant.size_bytes or 0
        found[device] = max(measured, default=0) or estimate
    return found


def room(replica: ReplicaStatus) -> int:
    """Bytes that it could give one model, its other models unloaded."""
    limit = _limit(replica)
    if device_of(replica) == "cuda":
        return int(limit)
    held = sum(model.memory_bytes for model in replica.models)
    return int(min(replica.memory_available_bytes + held, limit))


def _rank(replica: ReplicaStatus, ref: ModelRef, count: int, dice: float) -> Rank:
    held = next((each for each in replica.models if each.ref == ref), None)
    if held and held.state is LoadedState.LOADING:
        return Rank(0, 0.0, dice)
    device = device_of(replica)
    free = _limit(replica) - replica.memory_taken.get(device, 0)
    slots = replica.max_loaded_models - len(replica.models)
    if not held and slots > 0 and free >= count:
        return Rank(1, float(-slots), dice)
    if held and held.state is LoadedState.LOADED:
        return Rank(2, float(held.in_flight), dice)
    idle = [each.idle_s for each in replica.models if _may_leave(each)]
    return Rank(3, -max(idle), dice) if idle else Rank(4, float(len(replica.models)), dice)


def _may_leave(model: LoadedModel) -> bool:
    return model.state is LoadedState.LOADED and not model.in_flight and not model.pinned


def device_of(replica: ReplicaStatus) -> str:
    """Where it puts models, as far as can be told from here."""
    return "cuda" if "cuda" in replica.memory_limits else "cpu"


def _limit(replica: ReplicaStatus) -> float:
    return replica.memory_limits.get(device_of(replica), float("inf"))
