"""What a replica says when waiting for a model is of no use, with the numbers."""

from collections.abc import Sequence

from sirene_inference.room import Size
from sirene_shared.errors import ModelsBusy, ModelTooLarge
from sirene_shared.names import ModelRef

RETRY_S = 30


def too_large(ref: ModelRef, size: Size, limit: int) -> ModelTooLarge:
    return ModelTooLarge(
        f"{ref.id!r} takes {megabytes(size.bytes)} of {size.device} memory, "
        f"{megabytes(limit)} are allowed",
        hint="Raise INFERENCE_MAX_MEMORY, or take a smaller variant.",
    )


def pinned_full(ref: ModelRef, size: Size, pinned: Sequence[Size]) -> ModelsBusy:
    taken = sum(each.bytes for each in pinned if each.device == size.device)
    return ModelsBusy(
        f"pinned models leave no room for {ref.id!r}: there are {len(pinned)}, with "
        f"{megabytes(taken)}; it takes {megabytes(size.bytes)}",
        hint="Unpin one of them.",
        retry_after_s=RETRY_S,
    )


def megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
