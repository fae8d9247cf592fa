"""A lack of memory is told from every other failure, whichever engine says it."""

import pytest
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from sirene_inference.exhaustion import is_exhaustion, kills
from sirene_shared.errors import ModelDamaged, SpeechFailed


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        engine.RuntimeException("Failed to allocate memory for requested buffer of size 4096"),
        engine.Fail("std::bad_alloc"),
    ],
)
def test_what_engines_say_is_understood_also_behind_another_error(error: Exception) -> None:
    assert is_exhaustion(error)
    outer = SpeechFailed("the engine failed")
    outer.__cause__ = error
    assert is_exhaustion(outer)


def test_torch_really_says_so() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_exhaustion(caught.value)


def test_other_failures_are_none() -> None:
    for error in (
        RuntimeError("size mismatch"),
        engine.InvalidGraph("no such node"),
        ModelDamaged("'out of memory' is a strange name for a file"),
    ):
        assert not is_exhaustion(error)


def test_the_kernels_count_is_read() -> None:
    assert kills() >= 0
