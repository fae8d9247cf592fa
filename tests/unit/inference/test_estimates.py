"""What a model is expected to take before it was ever loaded."""

import pytest

from sirene_inference.refusals import too_large
from sirene_inference.remembered_sizes import RememberedSizes
from sirene_inference.resident import Load, Refuse
from sirene_inference.residents import Residents
from sirene_inference.room import Bounds, Size
from sirene_shared.manifest import load_catalogue
from sirene_shared.names import ModelRef
from sirene_shared.settings import repository_folder

CATALOGUE = load_catalogue(repository_folder("manifests"))
LARGE, SMALL = ModelRef("qwen3-tts", "1.7B"), ModelRef("qwen3-tts", "0.6B")
GB = 10**9


def test_a_cpu_holds_some_models_wider_than_a_gpu() -> None:
    cpu, gpu = RememberedSizes(CATALOGUE, ["cpu"]), RememberedSizes(CATALOGUE, ["cpu", "cuda"])
    assert cpu.sizes.of(LARGE) == Size("cpu", 7_900_000_000)
    assert gpu.sizes.of(LARGE) == Size("cuda", 5_200_000_000)
    kokoro = ModelRef("kokoro", "v1.0")
    assert cpu.sizes.of(kokoro).bytes == gpu.sizes.of(kokoro).bytes > 0
    # What was measured holds from then on.
    cpu.sizes.recall(LARGE, Size("cpu", 7 * GB))
    assert cpu.sizes.of(LARGE) == Size("cpu", 7 * GB)


@pytest.mark.parametrize(
    ("devices", "bounds", "is_refused"),
    [
        (["cpu"], {"cpu": 6 * GB}, True),
        (["cpu"], {"cpu": 8 * GB}, False),
        (["cpu", "cuda"], {"cpu": 6 * GB, "cuda": 6 * GB}, False),
    ],
)
def test_what_can_never_fit_a_cpu_is_refused_before_its_first_load(
    devices: list[str], bounds: dict[str, int], is_refused: bool
) -> None:
    sizes = RememberedSizes(CATALOGUE, devices).sizes
    residents = Residents(Bounds(2, bounds), size_of=sizes.of)
    residents.want(LARGE)
    step = residents.next_step(0.0)
    assert isinstance(step, Refuse if is_refused else Load)
    if isinstance(step, Refuse):
        assert step.error.message == too_large(LARGE, sizes.of(LARGE), bounds["cpu"]).message
        assert "7900 MB" in step.error.message
        assert "6000 MB" in step.error.message


@pytest.mark.parametrize("variant", CATALOGUE["qwen3-tts"].variants)
def test_a_cpu_is_expected_to_take_what_float32_takes(variant: str) -> None:
    """Every weight twice as wide but the words, which stay as they are; and the codec, and code."""
    told = CATALOGUE["qwen3-tts"].variants[variant]
    weights = 1_811_600_000 if variant.startswith("0.6B") else 3_833_400_000
    words = 622_300_000
    codec = 456_000_000
    least = 2 * (weights - words) + words + codec
    assert least < (told.memory_on("cpu") or 0) < least + 1.2 * GB
