"""The models page by keyboard alone, on the smallest screen, in the dark and in French."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import NewPage
from tests.e2e.web.models_page import begin_afresh, expect_state, queued, row, violations
from tests.support.families import F5, HEAVY, KOKORO, LESSAC, QWEN, QWEN_DESIGN, source_of
from tests.support.hub import Fault, Hub
from tests.support.product import Product

SLOW = {source_of(HEAVY): 40_000, "model.safetensors": 2_000}
WIDTHS = (320, 390, 768)


@pytest.fixture(autouse=True)
def fresh(product: Product, hub: Hub) -> Iterator[None]:
    begin_afresh(product, hub, (*SLOW, "model.onnx"))
    yield
    begin_afresh(product, hub, (*SLOW, "model.onnx"))


def focused(page: Page) -> str:
    """The name of what has the focus."""
    return str(
        page.evaluate(
            "document.activeElement.getAttribute('aria-label')"
            " ?? document.activeElement.textContent.trim()"
        )
    )


def tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if re.match(name, focused(page)):
            return
    pytest.fail(f"Tab does not lead to {name!r}")


def test_a_model_is_installed_paused_and_cancelled_by_keyboard_alone(page: Page, hub: Hub) -> None:
    hub.fault(source_of(HEAVY), Fault(rate_bytes_s=SLOW[source_of(HEAVY)]))
    expect(row(page, HEAVY)).to_be_visible()
    tab_to(page, f"Install {HEAVY}")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-preflight=ready]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert focused(page) == f"Install {HEAVY}"
    page.keyboard.press("Enter")
    expect(dialog.locator("[data-preflight=ready]")).to_be_visible()
    tab_to(page, "Install$")
    page.keyboard.press("Enter")
    expect_state(page, HEAVY, "downloading")
    expect(row(page, HEAVY).get_by_role("button", name=f"Pause: {HEAVY}")).to_be_focused()
    # Only where bytes came it is asked what shall become of them.
    bar = row(page, HEAVY).get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
    page.keyboard.press("Space")
    expect_state(page, HEAVY, "paused")
    expect(row(page, HEAVY).get_by_role("button", name=f"Resume: {HEAVY}")).to_be_focused()
    page.keyboard.press("Tab")
    assert focused(page) == f"Cancel: {HEAVY}"
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    tab_to(page, "Stop and delete")
    page.keyboard.press("Enter")
    expect_state(page, HEAVY, "absent")
    # What had asked is gone with the pull: its row has the focus, not the top of the page.
    expect(row(page, HEAVY)).to_be_focused()


def test_a_pull_that_is_cancelled_in_the_queue_hands_the_keyboard_to_the_next(
    page: Page, hub: Hub, product: Product
) -> None:
    hub.fault(source_of(HEAVY), Fault(rate_bytes_s=SLOW[source_of(HEAVY)]))
    hub.fault("model.safetensors", Fault(rate_bytes_s=SLOW["model.safetensors"]))
    for model_id in (HEAVY, F5, QWEN):
        product.http.post(f"/api/models/{model_id}/pull").raise_for_status()
    for model_id in (F5, QWEN):
        product.http.post(f"/api/models/{model_id}/pause").raise_for_status()
        expect(queued(page, model_id)).to_have_attribute("data-state", "paused")
    lines = page.locator("[data-queued]").evaluate_all(
        "lines => lines.map(one => one.dataset.queued)"
    )
    assert lines[0] == HEAVY  # what runs comes first
    cancel = {one: queued(page, one).get_by_role("button", name="Cancel") for one in lines}
    cancel[lines[1]].focus()
    for cancelled, heir in ((lines[1], lines[2]), (lines[2], HEAVY)):
        product.http.post(f"/api/models/{cancelled}/cancel").raise_for_status()
        expect(queued(page, cancelled)).to_have_count(0)
        expect(cancel[heir]).to_be_focused()
    product.http.post(f"/api/models/{HEAVY}/cancel").raise_for_status()
    expect(page.locator("[data-queue]")).to_have_count(0)
    expect(page.locator("main")).to_be_focused()


def test_every_state_reads_well_on_every_screen(
    new_page: NewPage, product: Product, hub: Hub
) -> None:
    product.pull(LESSAC)
    product.http.post(f"/api/models/{LESSAC}/load").raise_for_status()
    hub.fault("model.onnx", Fault(status=403, headers={"X-Error-Code": "GatedRepo"}))
    for path, rate in SLOW.items():
        hub.fault(path, Fault(rate_bytes_s=rate))
    for model_id in (KOKORO, HEAVY, F5, QWEN, QWEN_DESIGN):
        product.http.post(f"/api/models/{model_id}/pull").raise_for_status()
    product.http.post(f"/api/models/{QWEN_DESIGN}/pause").raise_for_status()
    page = new_page(locale="fr-FR", color_scheme="dark")
    for model_id, state in (
        (LESSAC, "installed"),
        (KOKORO, "failed"),
        (HEAVY, "downloading"),
        (QWEN, "queued"),
        (QWEN_DESIGN, "paused"),
    ):
        expect_state(page, model_id, state)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert violations(page) == []
