"""A fresh Sirene beside a hub that has three voices."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import piper_voice
from tests.support.hub import Hub
from tests.support.product import Product

REPO = "rhasspy/piper-voices"
SIWIS = "piper:fr_FR-siwis-medium"
LESSAC = "piper:en_US-lessac-medium"
# Large enough to be killed in the middle of; it never speaks.
HEAVY = "piper:en_US-heavy-high"
HEAVY_BYTES = 60_000_000


def voice_folder(variant: str) -> str:
    """Where a published voice lies in its repository."""
    code, name, quality = variant.split("-")
    return f"{code[:2]}/{code}/{name}/{quality}/{variant}"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("voices")
    served = Hub()
    for model_id, language in ((SIWIS, "fr"), (LESSAC, "en-us")):
        variant = model_id.partition(":")[2]
        path = piper_voice.build(folder / f"{variant}.onnx", espeak_voice=language)
        served.add(REPO, f"{voice_folder(variant)}.onnx", path)
        served.add(REPO, f"{voice_folder(variant)}.onnx.json", Path(f"{path}.json"))
    heavy = voice_folder(HEAVY.partition(":")[2])
    served.add(REPO, f"{heavy}.onnx", random.Random(7).randbytes(HEAVY_BYTES))
    served.add(REPO, f"{heavy}.onnx.json", b"{}")
    with served.serve():
        yield served


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue of these tests, in the published form."""
    variants = {
        variant: {
            "files": [
                {"path": "model.onnx", "source": f"{voice_folder(variant)}.onnx"},
                {"path": "model.onnx.json", "source": f"{voice_folder(variant)}.onnx.json"},
            ],
            "url": f"https://huggingface.co/{REPO}/resolve/main/",
            "languages": [variant[:5].replace("_", "-")],
            "voices": [{"id": variant.split("-")[1]}],
        }
        for variant in (model_id.partition(":")[2] for model_id in (SIWIS, LESSAC, HEAVY))
    }
    folder = tmp_path_factory.mktemp("manifests")
    manifest = {
        "name": "piper",
        "description": "Voices of a few kilobytes",
        "backend": "piper",
        "license": "MIT",
        "variants": variants,
        "defaults": {"variant": "fr_FR-siwis-medium", "sample_rate": 22050},
    }
    (folder / "piper.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def product(
    hub: Hub, manifests: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    product = Product(
        tmp_path_factory.mktemp("user"),
        {
            "HF_ENDPOINT": hub.url,
            "SIRENE_MANIFESTS_PATH": str(manifests),
            "INFERENCE_MAX_LOADED_MODELS": "1",
            "SIRENE_UI": "0",
        },
    )
    try:
        product.start()
        yield product
        product.stop()
    finally:
        product.abandon()
