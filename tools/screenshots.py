#!/usr/bin/env python3
"""Writes docs/images/{page}-{desktop,mobile}-{light,dark}.png: every page of a product at work.

    python -m tools.screenshots [FOLDER]

The product is real: it pulls small models of random weights, under the names of the shipped
catalogue, from a hub on this machine. So nothing comes from elsewhere, and those few are small.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from sirene_shared.settings import repository_folder
from tests.support import browser as browsers
from tests.support import families
from tests.support.hub import Fault, Hub
from tests.support.product import Product
from tests.support.waiting import until_true

IMAGES = repository_folder("docs") / "images"
SHIPPED = repository_folder("manifests")
MOST_BYTES = 200_000
# Names of the catalogue for two models of the tests that have none.
RENAMED = {"en_US-heavy-high": "en_US-ryan-high", "en_GB-gated-low": "en_GB-alan-low"}
ARRIVING, REFUSED = "piper:en_US-ryan-high", "piper:en_GB-alan-low"
INSTALLED = (families.SIWIS, families.LESSAC, families.KOKORO, families.QWEN)
LOADED = (families.SIWIS, families.KOKORO)
SHOWN_PERCENT = 40
FAST, SLOW = 6_000_000, 150_000
WAIT_MS = 60_000
TEXT = "Hello! I am a voice on your own machine. Nothing that you write leaves it."
# The place of a scroll bar that a picture has not.
STYLE = "html { scrollbar-gutter: auto !important; }"
SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 960}},
    "mobile": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 1.5,
    },
}


def main() -> None:
    images = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub()
        manifests = catalogue(hub, Path(folder))
        with hub.serve() as url:
            environ = {
                "HF_ENDPOINT": url,
                "SIRENE_MANIFESTS_PATH": str(manifests),
                "INFERENCE_MAX_LOADED_MODELS": "3",
            }
            product = Product(Path(folder), environ)
            product.start()
            try:
                bring_to_work(product, hub)
                with browsers.launched() as browser:
                    for screen, options in SCREENS.items():
                        take_all(browser, product, images, screen, options)
            finally:
                product.abandon()


def catalogue(hub: Hub, folder: Path) -> Path:
    """The shipped manifests, in which the tests' models have taken the places of their names."""
    small = families.add_to(hub, folder)
    merged = folder / "catalogue"
    merged.mkdir()
    for path in SHIPPED.glob("*.json"):
        manifest = json.loads(path.read_text())
        ours = small / path.name
        if ours.exists():
            for name, variant in json.loads(ours.read_text())["variants"].items():
                place = manifest["variants"].setdefault(RENAMED.get(name, name), {})
                place.update(variant, license=place.get("license", variant.get("license", "")))
        (merged / path.name).write_text(json.dumps(manifest))
    return merged


def bring_to_work(product: Product, hub: Hub) -> None:
    """Some installed, two in memory, one refused by the hub, one on its way."""
    for model in INSTALLED:
        product.pull(model)
    hub.fault(
        families.source_of(families.GATED),
        Fault(status=401, heads=True, headers={"X-Error-Code": "GatedRepo"}),
    )
    product.pull(REFUSED)
    for model in LOADED:
        product.http.post(f"/api/models/{model}/load").raise_for_status()
    product.http.post(f"/api/models/{families.KOKORO}/pin").raise_for_status()
    limit(product, FAST)
    product.http.post(f"/api/models/{ARRIVING}/pull").raise_for_status()
    assert until_true(lambda: percent(product) >= SHOWN_PERCENT, within_s=60)
    limit(product, SLOW)


def percent(product: Product) -> float:
    transfer = product.get(f"/api/models/{ARRIVING}")["transfer"]
    return float((transfer or {}).get("percent") or 0)


def limit(product: Product, bytes_per_second: int) -> None:
    body = {"max_rate": bytes_per_second}
    product.http.patch("/api/downloads/limits", json=body).raise_for_status()


def take_all(
    browser: Browser, product: Product, images: Path, screen: str, options: dict[str, Any]
) -> None:
    context = browser.new_context(base_url=product.url, locale="en-US", **options)
    page = context.new_page()
    for name, prepare in PAGES.items():
        prepare(page)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            expect(page.locator("[data-link=open]")).to_be_visible()
            expect(page.locator("[data-toast]")).to_have_count(0, timeout=WAIT_MS)
            path = images / f"{name}-{screen}-{theme}.png"
            page.screenshot(path=path, style=STYLE)
            size = path.stat().st_size
            print(f"{path.name}: {size} bytes")
            assert size < MOST_BYTES, f"{path.name} is too large for a repository"
    context.close()


def models(page: Page) -> None:
    page.goto("/")
    expect(page.locator(f'[data-model="{ARRIVING}"]').first).to_be_attached(timeout=WAIT_MS)
    expect(page.get_by_role("progressbar").first).to_be_visible(timeout=WAIT_MS)


def playground(page: Page) -> None:
    page.goto(f"/playground?model={families.SIWIS}")
    page.get_by_role("textbox", name="Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Speak", exact=True).click()
    expect(page.locator("[data-player=finished]")).to_be_visible(timeout=WAIT_MS)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def memory(page: Page) -> None:
    page.goto("/memory")
    expect(page.locator('[data-slot][data-state="loaded"]')).to_have_count(len(LOADED))


def settings(page: Page) -> None:
    page.goto("/settings")
    expect(page.get_by_role("heading", name="Versions")).to_be_visible(timeout=WAIT_MS)


PAGES: dict[str, Callable[[Page], None]] = {
    "models": models,
    "playground": playground,
    "memory": memory,
    "settings": settings,
}


if __name__ == "__main__":
    main()
