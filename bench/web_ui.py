"""The models page at its fullest: 170 models, three pulls, every tick of them shown.

    python -m bench.web_ui [--seconds 15]

First paint, frames as Chromium's own tracing counts them, the main thread's longest task, and the
processor time of the whole browser while nothing happens, beside that of an empty page.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser, Page, expect

from sirene_cli.sse import EventReader
from sirene_shared.settings import repository_folder
from tests.support import browser as browsers
from tests.support.hub import Hub
from tests.support.product import Product

MODELS, PULLS = 170, 3
MODEL_BYTES = 64_000_000
RATE = "4MB"  # of all pulls: they outlast the measurement
REPO = "rhasspy/piper-voices"
CATEGORIES = ["cc", "benchmark", "toplevel", "disabled-by-default-devtools.timeline.frame"]
# Spans of time in which nothing is waited for but the browser's quiet, of which it sends no event.
SETTLE_S = 5
CALM_S = 20  # the browser still tidies up after what was busy
# When the catalogue is first in the page, and when that has been painted.
PAINT_PROBE = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("[data-model]")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => (window.cataloguePaintedMs = performance.now())));
}).observe(document, { childList: true, subtree: true });
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub()
        manifests, pulled = catalogue(hub, Path(folder))
        with hub.serve() as url:
            environ = {
                "HF_ENDPOINT": url,
                "SIRENE_MANIFESTS_PATH": str(manifests),
                "SIRENE_PULLS": str(PULLS),
                "SIRENE_MAX_RATE": RATE,
            }
            product = Product(Path(folder), environ)
            product.start()
            try:
                print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
                with browsers.launched() as browser:
                    measure(browser, product, pulled, seconds)
            finally:
                product.abandon()


def measure(browser: Browser, product: Product, pulled: list[str], seconds: float) -> None:
    context = browser.new_context(
        base_url=product.url, viewport={"width": 1280, "height": 860}, locale="en-US"
    )
    page = context.new_page()
    page.goto("about:blank")
    time.sleep(SETTLE_S)
    report("idle, an empty page", idle_percent(seconds))
    for model in pulled:
        product.http.post(f"/api/models/{model}/pull").raise_for_status()
    page.add_init_script(PAINT_PROBE)
    page.goto("/")
    expect(page.get_by_role("progressbar").first).to_be_visible()
    first = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
    )
    report("first contentful paint", f"{first:.0f} ms")
    report("catalogue painted", f"{page.evaluate('cataloguePaintedMs'):.0f} ms")
    # A large family shows a few of its variants until it is asked for all: here it must.
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("[data-model]")).to_have_count(MODELS)
    time.sleep(SETTLE_S)
    trace_frames(browser, page, product, seconds)
    for model in pulled:
        product.http.post(f"/api/models/{model}/cancel").raise_for_status()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    time.sleep(CALM_S)
    report("idle, the models page", idle_percent(seconds))
    page.goto("/memory")
    expect(page.locator("[data-slot]").first).to_be_visible()
    time.sleep(SETTLE_S)
    report("idle, the memory page", idle_percent(seconds))
    context.close()


def trace_frames(browser: Browser, page: Page, product: Product, seconds: float) -> None:
    told: list[float] = []
    over = threading.Event()
    reader = threading.Thread(target=count_events, args=(product.url, told, over), daemon=True)
    reader.start()
    busy = browser_cpu_s()
    browser.start_tracing(page=page, categories=CATEGORIES)
    time.sleep(seconds)
    trace = json.loads(browser.stop_tracing())["traceEvents"]
    busy_percent = 100 * (browser_cpu_s() - busy) / seconds
    over.set()
    states = frames(trace)
    shown = {name.removeprefix("STATE_").lower(): count for name, count in states.items()}
    report("model events", f"{len(told) / seconds:.1f} a second")
    report("frames", json.dumps(shown))
    report("longest task of the page's main thread", f"{longest_task_ms(trace):.1f} ms")
    report("processor while they come", f"{busy_percent:.1f} % of a core")


def count_events(url: str, told: list[float], over: threading.Event) -> None:
    with httpx.stream("GET", f"{url}/api/models/events", timeout=30) as response:
        for event in EventReader().read(response.iter_raw()):
            if over.is_set():
                return
            if event.kind == "model":
                told.append(time.monotonic())


def frames(trace: list[dict[str, Any]]) -> Counter[str]:
    """How each frame of the page ended, as the compositor's reporter says."""
    pages = {event["pid"] for event in trace if is_page_thread(event)}
    reports = (
        event["args"]["frame_reporter"]
        for event in trace
        if event["name"] == "PipelineReporter"
        and event["pid"] in pages
        and "frame_reporter" in event.get("args", {})
    )
    return Counter(report["state"] for report in reports)


def longest_task_ms(trace: list[dict[str, Any]]) -> float:
    threads = {(event["pid"], event["tid"]) for event in trace if is_page_thread(event)}
    return max(
        (
            event.get("dur", 0) / 1000
            for event in trace
            if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in threads
        ),
        default=float("nan"),
    )


def is_page_thread(event: dict[str, Any]) -> bool:
    return bool(
        event["name"] == "thread_name" and event.get("args", {}).get("name") == "CrRendererMain"
    )


def idle_percent(seconds: float) -> str:
    before = browser_cpu_s()
    time.sleep(seconds)
    return f"{100 * (browser_cpu_s() - before) / seconds:.2f} % of a core, the whole browser"


def browser_cpu_s() -> float:
    """Processor time of every process of the browser so far."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def catalogue(hub: Hub, folder: Path) -> tuple[Path, list[str]]:
    """The folder of manifests, and the ids of those models that the hub has."""
    manifests = folder / "manifests"
    manifests.mkdir()
    manifest = json.loads((repository_folder("manifests") / "piper.json").read_text())
    others = 0
    for path in repository_folder("manifests").glob("*.json"):
        if path.name != "piper.json":
            (manifests / path.name).write_text(path.read_text())
            others += len(json.loads(path.read_text())["variants"])
    _, template = next(iter(manifest["variants"].items()))
    for number in range(MODELS - others - len(manifest["variants"])):
        manifest["variants"][f"en_US-voice{number:03}-medium"] = template
    pulled = list(manifest["variants"])[:PULLS]
    for number, variant in enumerate(pulled):
        hub.add(REPO, f"{variant}.onnx", bytes([number]) * MODEL_BYTES)
        files = [{"path": "model.onnx", "source": f"{variant}.onnx", "size": MODEL_BYTES}]
        manifest["variants"][variant] = template | {"files": files}
    (manifests / "piper.json").write_text(json.dumps(manifest))
    return manifests, [f"piper:{variant}" for variant in pulled]


def report(what: str, value: str) -> None:
    print(f"{what:42} {value}", flush=True)


if __name__ == "__main__":
    main()
