"""The models page as its tests speak of it."""

import re
from collections.abc import Iterable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support import browser
from tests.support.hub import Hub
from tests.support.product import Product
from tests.support.waiting import until_true

ACTIVE = {"queued", "downloading", "paused", "verifying"}
ON_DISK = {"installed", "damaged"}


def row(page: Page, model_id: str) -> Locator:
    return page.locator(f'[data-model="{model_id}"]')


def queued(page: Page, model_id: str) -> Locator:
    """Its line in the queue."""
    return page.locator(f'[data-queued="{model_id}"]')


def expect_state(page: Page, model_id: str, state: str) -> None:
    expect(row(page, model_id)).to_have_attribute("data-state", state, timeout=20_000)


def open_install(page: Page, model_id: str) -> Locator:
    """The dialog of the row's Install, its preflight answered."""
    row(page, model_id).get_by_role("button", name=re.compile("^Install")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-preflight]")).not_to_have_attribute("data-preflight", "asking")
    return dialog


def confirm(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Install", exact=True).click()
    expect(dialog).to_have_count(0)


def details(page: Page, model_id: str) -> Locator:
    """What the row tells more of itself when it is asked."""
    row(page, model_id).get_by_role("button", name="Details").click()
    return row(page, model_id).locator("[data-details]")


def violations(page: Page) -> list[str]:
    """What axe finds once nothing fades in any more: until then it is pale."""
    page.evaluate(
        """async () => {
            const fades = one => one.playState === "running" &&
                one.effect.getComputedTiming().iterations !== Infinity &&
                one.effect.getKeyframes().some(frame => "opacity" in frame);
            while (document.getAnimations().some(fades)) await new Promise(requestAnimationFrame);
        }"""
    )
    return browser.violations(page)


def model(product: Product, model_id: str) -> dict[str, Any]:
    told: dict[str, Any] = product.get(f"/api/models/{model_id}")
    return told


def begin_afresh(product: Product, hub: Hub, faulty: Iterable[str] = ()) -> None:
    """Nothing is installed, runs or is left over, and nothing goes wrong with `faulty` any more.

    A pull that failed before stays failed.
    """
    for path in faulty:
        hub.fault(path)
    product.http.post("/api/downloads/cancel").raise_for_status()
    assert until_true(lambda: not any(states(product).get(state) for state in ACTIVE))
    for state in ON_DISK:
        for model_id in states(product).get(state, ()):
            product.http.delete(f"/api/models/{model_id}").raise_for_status()
    product.http.delete("/api/downloads/parts").raise_for_status()


def states(product: Product) -> dict[str, list[str]]:
    """The ids of models by their state."""
    found: dict[str, list[str]] = {}
    for one in product.get("/api/models")["models"]:
        found.setdefault(one["state"], []).append(one["id"])
    return found
