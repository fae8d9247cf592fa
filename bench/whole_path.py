"""The newcomer's path with a voice of real size, through the whole product on this machine.

    python -m bench.whole_path VOICE.onnx [--rounds 5]

Pull from a hub on loopback, load, speak, unload. Times are wall times of a client over HTTP.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import psutil

from bench.speaking.heard import TEXTS, audio_s, factor, first_s, in_turns
from bench.speaking.speakers import over_http
from sirene_shared.names import ModelRef
from tests.support.hub import Hub
from tests.support.product import Product

REPO, VARIANT = "rhasspy/piper-voices", "en_US-measured-medium"
MODEL = ModelRef("piper", VARIANT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("voice", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(arguments.voice, arguments.rounds, Path(folder))


def measure(voice: Path, rounds: int, folder: Path) -> None:
    hub = Hub()
    for suffix in ("", ".json"):
        hub.add(REPO, f"{VARIANT}.onnx{suffix}", Path(f"{voice}{suffix}"))
    with hub.serve() as url:
        environ = {"HF_ENDPOINT": url, "SIRENE_MANIFESTS_PATH": str(write_manifest(folder))}
        product = Product(folder, environ)
        began = time.monotonic()
        product.start()
        report("start", f"{time.monotonic() - began:.2f} s until everything is ready")
        try:
            pull(product, voice.stat().st_size)
            load(product)
            for name, text in TEXTS.items():
                speak(product, name, text, rounds)
            unload(product)
        finally:
            product.stop()


def pull(product: Product, size_bytes: int) -> None:
    began = time.monotonic()
    last = product.pull(MODEL.id)[-1]
    took_s = time.monotonic() - began
    assert last.kind == "complete", last
    report("pull", f"{size_bytes / took_s / 1e6:.0f} MB/s, verified and on disk ({took_s:.2f} s)")


def load(product: Product) -> None:
    began = time.monotonic()
    answer = product.http.post(f"/api/models/{MODEL.id}/load").raise_for_status().json()
    took_s = time.monotonic() - began
    report("load", f"{took_s:.2f} s (the engine's part {answer['load_s']:.2f} s)")
    report("memory", f"{memory(product) / 1e6:.0f} MB loaded")


def speak(product: Product, name: str, text: str, rounds: int) -> None:
    heard = in_turns({"product": over_http(product, MODEL)}, text, rounds)["product"]
    report(
        name,
        f"{audio_s(heard):.1f} s of audio: first audio {1000 * first_s(heard):.0f} ms,"
        f" real-time factor {factor(heard):.3f} (medians of {rounds})",
    )


def unload(product: Product) -> None:
    before = memory(product)
    answer = product.http.post("/models/unload", json={"model": MODEL.id}).raise_for_status().json()
    freed = sum(entry["freed_bytes"] for entry in answer["unloaded"])
    report("memory", f"{before / 1e6:.0f} MB after speaking, {freed / 1e6:.0f} MB freed by unload")
    report("memory", f"{memory(product) / 1e6:.0f} MB left of runners")


def memory(product: Product) -> int:
    """Proportional set size of all runners and what they started."""
    runners = product.runners()
    everything = {process for r in runners for process in (r, *r.children(recursive=True))}
    return sum(psutil.Process(process.pid).memory_full_info().pss for process in everything)


def write_manifest(folder: Path) -> Path:
    files = [{"path": f"model.onnx{s}", "source": f"{VARIANT}.onnx{s}"} for s in ("", ".json")]
    url = f"https://huggingface.co/{REPO}/resolve/main/"
    manifest = {
        "name": "piper",
        "description": "the measured voice",
        "backend": "piper",
        "license": "unknown",
        "variants": {VARIANT: {"files": files, "url": url, "voices": [{"id": "measured"}]}},
        "defaults": {"variant": VARIANT, "sample_rate": 22050},
    }
    manifests = folder / "manifests"
    manifests.mkdir()
    (manifests / "piper.json").write_text(json.dumps(manifest))
    return manifests


def report(what: str, figure: str) -> None:
    print(f"{what:10} {figure}", flush=True)


if __name__ == "__main__":
    main()
