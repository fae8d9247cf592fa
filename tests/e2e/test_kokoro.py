"""Kokoro's way from the hub to the ear: the shipped manifest with small files behind it."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sirene_shared.settings import repository_folder
from tests.e2e.test_whole_path import samples
from tests.support import kokoro_voice
from tests.support.hub import Hub
from tests.support.kokoro_voice import SAMPLE_RATE, VOICES
from tests.support.product import Product
from tests.support.waiting import until_true

KOKORO = "kokoro:v1.0"
REPO, OTHER_REPO = "onnx-community/Kokoro-82M-v1.0-ONNX", "hexgrad/Kokoro-82M"
SHORT = "Hello there, my friend."
LONG = (
    "Hello there, my friend, how are you today? I hope that you are well, and that the weather is "
    "as fine where you live as it is over here."
)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The shipped one without sizes and hashes, and with the voices that there are here."""
    shipped: dict[str, Any] = json.loads(
        (repository_folder("manifests") / "kokoro.json").read_text()
    )
    variant = shipped["variants"]["v1.0"]
    kept = {f"voices/{voice}.bin" for voice in VOICES}
    variant["files"] = [
        {key: value for key, value in file.items() if key in ("path", "source", "repo")}
        for file in variant["files"]
        if file["path"] in kept or not file["path"].startswith("voices/")
    ]
    variant["voices"] = [voice for voice in variant["voices"] if voice["id"] in VOICES]
    del variant["size"]
    return shipped


@pytest.fixture(scope="module")
def hub(manifest: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    built = kokoro_voice.build(tmp_path_factory.mktemp("kokoro"))
    served = Hub()
    for file in manifest["variants"]["v1.0"]["files"]:
        path = file.get("source", file["path"])
        served.add(file.get("repo", REPO), path, built[file["path"]])
    with served.serve():
        yield served


@pytest.fixture(scope="module")
def product(
    hub: Hub, manifest: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("user")
    manifests = folder / "manifests"
    manifests.mkdir()
    (manifests / "kokoro.json").write_text(json.dumps(manifest))
    product = Product(folder, {"HF_ENDPOINT": hub.url, "SIRENE_MANIFESTS_PATH": str(manifests)})
    try:
        product.start()
        last = product.pull(KOKORO)[-1]
        assert last.kind == "complete", last
        yield product
        product.stop()
    finally:
        product.abandon()


def test_all_its_files_arrive_from_their_repositories(product: Product, hub: Hub) -> None:
    folder = product.models / "kokoro" / "v1.0"
    assert {path.name for path in folder.iterdir()} == {
        *(".sirene.json", "model.onnx", "config.json", "tokenizer.json", "voices"),
    }
    assert {path.stem for path in (folder / "voices").iterdir()} == set(VOICES)
    assert {path.split("/resolve/")[0] for path in hub.asked if "/resolve/" in path} == {
        *(f"/{REPO}", f"/{OTHER_REPO}"),
    }


def test_it_speaks_as_long_as_the_text_and_as_fast_as_it_is_asked(product: Product) -> None:
    short, rate = samples(product.speak(SHORT, KOKORO, voice="af_heart"))
    long, _ = samples(product.speak(LONG, KOKORO, voice="af_heart"))
    fast, _ = samples(product.speak(LONG, KOKORO, voice="af_heart", speed=2.0))
    assert rate == SAMPLE_RATE
    assert len(short) > 0.3 * rate
    assert len(long) > 3 * len(short)
    assert 0.3 < len(fast) / len(long) < 0.6  # whole frames are left out
    for audio in (short, long, fast):
        assert 0.005 < np.sqrt((audio**2).mean()) < 0.5


def test_its_voices_differ_and_the_first_one_is_meant_by_default(product: Product) -> None:
    listed = product.get(f"/v1/audio/voices?model={KOKORO}")["voices"]
    assert {voice["id"] for voice in listed} == set(VOICES)
    loudness = {
        voice: float(np.sqrt((samples(product.speak(LONG, KOKORO, voice=voice))[0] ** 2).mean()))
        for voice in ("af_heart", "bm_george", "default")
    }
    assert loudness["default"] == pytest.approx(loudness["af_heart"], rel=0.02)
    assert loudness["bm_george"] != pytest.approx(loudness["af_heart"], rel=0.02)


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("ff_siwis", "Bonjour tout le monde."),
        ("jf_alpha", "こんにちは、せかい。"),
        ("zf_xiaobei", "你好，世界。今天是3月15日。"),
        ("bm_george", "Good afternoon."),
    ],
)
def test_each_voice_speaks_its_own_language(product: Product, voice: str, text: str) -> None:
    audio, rate = samples(product.speak(text, KOKORO, voice=voice))
    assert 0.3 < len(audio) / rate < 10


def test_what_it_cannot_read_is_refused_with_what_to_do(product: Product) -> None:
    body = {"model": KOKORO, "input": "今日は", "voice": "jf_alpha", "response_format": "wav"}
    answer = product.http.post("/v1/audio/speech", json=body)
    assert answer.status_code == 400
    assert "hiragana" in answer.text


def test_a_voice_that_was_cut_is_called_by_its_name_and_a_pull_repairs_it(product: Product) -> None:
    product.http.post("/models/unload", json={"model": KOKORO}).raise_for_status()
    path = product.models / "kokoro" / "v1.0" / "voices" / "ff_siwis.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    body = {"model": KOKORO, "input": SHORT, "voice": "af_heart", "response_format": "wav"}
    error = product.http.post("/v1/audio/speech", json=body).json()["error"]
    assert error["code"] == "model_damaged"
    assert "voices/ff_siwis.bin" in error["message"]
    # The downloader looks at the files itself, and says so to everybody.
    assert until_true(lambda: product.state(KOKORO) == "damaged")
    told = product.get(f"/api/models/{KOKORO}")["error"]
    assert told["code"] == "model_damaged"
    assert "voices/ff_siwis.bin" in told["message"]
    assert product.pull(KOKORO)[-1].kind == "complete"
    assert path.read_bytes() == whole
    assert product.state(KOKORO) == "installed"
    # A load that failed is not tried again at once.
    assert until_true(lambda: product.http.post("/v1/audio/speech", json=body).is_success)


def test_the_log_has_no_traceback(product: Product) -> None:
    assert "Traceback" not in product.log()
