"""The models page by keyboard alone, on the smallest screen, in the dark and in French."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import NewPage
from tests.e2e.web.models_page import begin_afresh, expect_state, row, violations
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
