"""The whole path of a newcomer: install a voice, watch it arrive, hear it, and what follows."""

import hashlib
import io
import json
import re
import wave
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.e2e.conftest import HEAVY, HEAVY_BYTES, LESSAC, REPO, SIWIS, voice_folder
from tests.support.hub import Hub
from tests.support.product import Product, data
from tests.support.waiting import until_true

DOWNLOADER = "sirene_downloader"
SHORT = "Bonjour."
LONG = "Bonjour tout le monde, voici une phrase nettement plus longue que la première."


def samples(wav: bytes) -> tuple[np.ndarray, int]:
    """float in [-1, 1], and the sample rate; the sizes in the header may be those of a stream."""
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        rate = file.getframerate()
    return np.frombuffer(wav[44:], "<i2") / 32768, rate


def pitch_hz(audio: np.ndarray, rate: int) -> float:
    """Of the loudest 100 ms, by autocorrelation between 70 and 300 Hz."""
    width = rate // 10
    loudness = np.convolve(audio**2, np.ones(width), "valid")
    start = int(loudness.argmax())
    frame = audio[start : start + width]
    correlation = np.correlate(frame, frame, "full")[width - 1 :]
    shortest, longest = rate // 300, rate // 70
    return rate / (shortest + int(correlation[shortest:longest].argmax()))


@pytest.fixture(scope="module")
def spoken(product: Product) -> Product:
    """The product with the first voice installed and loaded."""
    if product.state(SIWIS) != "installed":
        product.pull(SIWIS)
    product.speak(SHORT, SIWIS)
    return product


def test_a_fresh_product_shows_its_catalogue_and_nothing_installed(product: Product) -> None:
    models = product.get("/api/models/catalog")["models"]
    assert {model["id"] for model in models} == {SIWIS, LESSAC, HEAVY}
    assert {model["state"] for model in models} == {"absent"}
    assert product.get("/api/models/installed")["models"] == []
    assert product.get("/v1/models")["data"] == []


def test_the_page_is_the_web_ui_and_loads_nothing_from_elsewhere(product: Product) -> None:
    page = product.http.get("/", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    links = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert any(link.endswith(".js") for link in links)
    for link in links:
        assert link.startswith("/assets/")
        assert product.http.get(link).status_code == 200
    assert product.http.get("/schema/openapi.json").json()["paths"]


def test_speech_with_a_model_that_is_not_installed_says_how_to_install_it(
    product: Product,
) -> None:
    body = {"model": LESSAC, "input": "x", "voice": "default", "response_format": "wav"}
    answer = product.http.post("/v1/audio/speech", json=body)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "model_not_installed"
    assert "pull" in error["message"] + error["hint"]


def test_a_pull_shows_its_progress_and_ends_installed(product: Product, hub: Hub) -> None:
    happened = product.pull(SIWIS)
    assert [event.kind for event in happened].count("complete") == 1
    assert happened[-1].kind == "complete"
    ticks = [data(event) for event in happened[:-1]]
    assert ticks
    assert {event.kind for event in happened[:-1]} == {"progress"}
    done = [tick["done_bytes"] for tick in ticks]
    assert done == sorted(done)
    assert all(event.id for event in happened)
    assert product.state(SIWIS) == "installed"
    assert [model["id"] for model in product.get("/v1/models")["data"]] == [SIWIS]


def test_the_files_lie_on_the_volume_in_the_documented_layout(spoken: Product, hub: Hub) -> None:
    folder = spoken.models / "piper" / "fr_FR-siwis-medium"
    assert sorted(path.name for path in folder.iterdir()) == [
        ".sirene.json",
        "model.onnx",
        "model.onnx.json",
    ]
    record = json.loads((folder / ".sirene.json").read_bytes())
    assert record["revision"] == hub.commit(REPO)
    for file in record["files"]:
        content = (folder / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    staging = spoken.models / ".staging"
    assert [path for path in staging.rglob("*") if path.is_file() and path.name != "lock"] == []


def test_a_longer_text_makes_longer_speech_with_the_voices_pitch(spoken: Product) -> None:
    short, rate = samples(spoken.speak(SHORT, SIWIS))
    long, _ = samples(spoken.speak(LONG, SIWIS))
    assert rate == 22050
    assert 0.3 * rate < len(short) < 3 * rate
    assert len(long) > 2 * len(short)
    for audio in (short, long):
        assert np.abs(audio).max() <= 1
        assert np.sqrt((audio**2).mean()) > 0.02
        assert 100 < pitch_hz(audio, rate) < 180


def test_a_faster_speed_makes_shorter_speech(spoken: Product) -> None:
    normal, _ = samples(spoken.speak(LONG, SIWIS))
    fast, _ = samples(spoken.speak(LONG, SIWIS, speed=2.0))
    assert 0.4 < len(fast) / len(normal) < 0.65


def test_pcm_is_24_khz_without_a_header(spoken: Product) -> None:
    wav, rate = samples(spoken.speak(LONG, SIWIS))
    pcm = spoken.speak(LONG, SIWIS, response_format="pcm")
    assert not pcm.startswith(b"RIFF")
    # The voice draws its durations anew for each sentence.
    assert len(pcm) / 2 / 24000 == pytest.approx(len(wav) / rate, rel=0.15)


def test_a_second_model_evicts_the_first_at_a_limit_of_one(spoken: Product) -> None:
    spoken.pull(LESSAC)
    (first,) = spoken.get("/api/models/loaded")["models"]
    before = spoken.runners()
    assert len(before) == 1
    samples(spoken.speak("Hello there.", LESSAC))
    assert until_true(
        lambda: [m["id"] for m in spoken.get("/api/models/loaded")["models"]] == [LESSAC]
    )
    assert first["id"] == SIWIS
    assert not before[0].is_running()
    assert len(spoken.runners()) == 1


def test_unload_ends_the_runner_and_gives_its_memory_back(spoken: Product) -> None:
    spoken.speak(SHORT, SIWIS)
    runners = spoken.runners()
    held = sum(process.memory_info().rss for process in runners)
    answer = spoken.http.post("/models/unload", json={"model": SIWIS}).raise_for_status().json()
    (unloaded,) = answer["unloaded"]
    assert unloaded["id"] == SIWIS
    assert 0.2 * held < unloaded["freed_bytes"] <= 1.5 * held
    assert answer["errors"] == []
    _, alive = psutil.wait_procs(runners, timeout=5)
    assert not alive
    assert until_true(lambda: spoken.get("/api/models/loaded")["models"] == [])


def test_a_deleted_model_is_gone_from_the_volume_and_from_memory(spoken: Product) -> None:
    spoken.pull(LESSAC)
    spoken.speak("Hello.", LESSAC)
    answer = spoken.http.delete(f"/api/models/{LESSAC}").raise_for_status().json()
    assert answer["freed_bytes"] > 0
    assert not (spoken.models / "piper" / "en_US-lessac-medium").exists()
    assert spoken.state(LESSAC) == "absent"
    assert until_true(
        lambda: LESSAC not in [m["id"] for m in spoken.get("/api/models/loaded")["models"]]
    )


def test_a_downloader_killed_in_the_middle_goes_on_from_where_it_was(
    product: Product, hub: Hub
) -> None:
    hub.rate_bytes_s = 12_000_000
    try:
        with product.following(HEAVY) as events:
            for event in events:
                if data(event)["done_bytes"] > HEAVY_BYTES // 3:
                    (downloader,) = product.processes(DOWNLOADER)
                    downloader.kill()
                    break
            hub.rate_bytes_s = None
            last = None
            for last in events:
                assert not (product.models / "piper" / "en_US-heavy-high").exists() or (
                    last.kind == "complete" or data(last)["phase"] == "installing"
                )
    finally:
        hub.rate_bytes_s = None
    assert last is not None
    assert last.kind == "complete", last
    path = f"{voice_folder('en_US-heavy-high')}.onnx"
    assert HEAVY_BYTES <= hub.sent_bytes[path] < 1.3 * HEAVY_BYTES
    content = (product.models / "piper" / "en_US-heavy-high" / "model.onnx").read_bytes()
    assert hashlib.sha256(content).hexdigest() == hub._repos[REPO][path].sha256


def test_the_command_line_does_the_same_path(product: Product, tmp_path: Path) -> None:
    assert product.cli("pull", SIWIS).returncode == 0
    listed = product.cli("list", "--json")
    assert SIWIS in listed.stdout
    out = tmp_path / "out.wav"
    said = product.cli("say", LONG, "-m", SIWIS, "-o", str(out))
    assert said.returncode == 0, said.stderr
    with wave.open(str(out)) as file:  # the sizes in its header are true
        assert file.getnframes() / file.getframerate() > 1
    assert SIWIS in product.cli("ps").stdout
    assert product.cli("unload", SIWIS).returncode == 0
    assert product.cli("rm", SIWIS, "--yes").returncode == 0
    assert product.state(SIWIS) == "absent"


def test_the_hub_is_asked_for_the_models_and_for_nothing_else(hub: Hub) -> None:
    assert hub.asked
    assert all(path.startswith((f"/{REPO}/", f"/api/models/{REPO}/")) for path in hub.asked)


def test_the_log_is_quiet_and_has_no_traceback(product: Product) -> None:
    log = product.log()
    assert "Traceback" not in log
    assert log.count("the bus is gone") == 0
    assert "changes detected" not in log  # a library's, of what each install does to the volume
