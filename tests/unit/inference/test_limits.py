"""What the bounds on memory mean, and what is measured against them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sirene_inference import gpu, memory
from sirene_inference.limits import parse_limits
from sirene_inference.settings import Settings
from sirene_shared.errors import InvalidRequest

GB = 10**9
TOTALS = {"cpu": 100 * GB, "cuda": 40 * GB}


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("8GB", {"cpu": 8 * GB, "cuda": 8 * GB}),
        ("50%", {"cpu": 50 * GB, "cuda": 20 * GB}),
        ("auto", {"cpu": 80 * GB, "cuda": 36 * GB}),
        ("unlimited", {}),
        ("cpu=1GiB, cuda=auto", {"cpu": 1 << 30, "cuda": 36 * GB}),
        ("cuda=75%", {"cuda": 30 * GB}),
        ("auto,cuda=unlimited", {"cpu": 80 * GB}),
    ],
)
def test_a_limit_is_for_each_device(text: str, limits: dict[str, int]) -> None:
    assert parse_limits(text, TOTALS) == limits


def test_a_device_that_is_not_there_has_no_limit() -> None:
    assert parse_limits("auto", {"cpu": 10}) == {"cpu": 8}


@pytest.mark.parametrize(
    "text", ["", "much", "0", "-1GB", "0%", "101%", "npu=1GB", "cpu=", "8 GBs"]
)
def test_anything_else_is_refused_when_the_service_starts(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_limits(text, TOTALS)
    with pytest.raises(InvalidRequest, match="INFERENCE_MAX_MEMORY"):
        Settings(max_memory=text)


def test_a_keep_alive_that_is_none_is_refused_too() -> None:
    assert Settings(keep_alive="-1").keep_alive_s == float("inf")
    with pytest.raises(InvalidRequest, match="INFERENCE_KEEP_ALIVE"):
        Settings(keep_alive="soon")


Says = Callable[[str], None]


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """A driver's program on PATH that says what it is given."""

    def says(text: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return says


def test_a_gpus_memory_is_what_its_driver_says(nvidia_smi: Says) -> None:
    nvidia_smi("81559\n81559")
    assert gpu.total() == 81559 << 20
    nvidia_smi("17, 500\n18, 20\n99, 7000\n17, [N/A]")
    assert gpu.measure({17, 18}) == 520 << 20


def test_without_a_gpu_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu.total() == 0
    assert gpu.measure({1}) == 0


def test_the_memory_of_a_container_is_what_it_may_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CONTAINER_LIMIT", limit)
    whole = memory.total()
    limit.write_text("max\n")
    assert memory.total() == whole
    limit.write_text("1000000\n")
    assert memory.total() == 1_000_000
