"""A pull as it is watched: progress, pausing, cancelling, the queue, and what a reload leaves of it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import NewPage, expect_live
from tests.e2e.web.models_page import (
    begin_afresh,
    confirm,
    expect_state,
    model,
    open_install,
    queued,
    row,
    violations,
)
from tests.support.families import F5, GATED, HEAVY, KOKORO, QWEN, QWEN_DESIGN, source_of
from tests.support.hub import Fault, Hub
from tests.support.product import Product
from tests.support.waiting import until_true

HEAVY_FILE = source_of(HEAVY)
# Of each connection: slow enough to be looked at in every detail, even on a busy machine.
SLOW = {HEAVY_FILE: 40_000, "model.safetensors": 2_000, "model.onnx": 2_000}


@pytest.fixture(autouse=True)
def fresh(product: Product, hub: Hub) -> Iterator[None]:
    begin_afresh(product, hub, SLOW)
    for path, rate in SLOW.items():
        hub.fault(path, Fault(rate_bytes_s=rate))
    yield
    begin_afresh(product, hub, SLOW)


def started(product: Product, *ids: str) -> None:
    for model_id in ids:
        product.http.post(f"/api/models/{model_id}/pull").raise_for_status()


def has_bytes(product: Product, model_id: str) -> bool:
    return bool((model(product, model_id)["transfer"] or {}).get("done_bytes"))


def test_a_pull_tells_bytes_percent_speed_time_left_and_file(page: Page) -> None:
    confirm(open_install(page, HEAVY))
    expect_state(page, HEAVY, "downloading")
    heavy = row(page, HEAVY)
    expect(heavy).to_contain_text(re.compile(r"MB of 24\.0 MB"))
    expect(heavy).to_contain_text(re.compile(r"\d+\.\d%"))
    expect(heavy).to_contain_text(re.compile(r"[kM]B/s"))
    expect(heavy).to_contain_text(re.compile(r"\ds left"))
    expect(heavy).to_contain_text("model.onnx")
    bar = heavy.get_by_role("progressbar", name=f"Download of {HEAVY}")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"\d"))
    expect(queued(page, HEAVY)).to_contain_text(re.compile(r"\d+\.\d%"))
    expect(page).to_have_title(re.compile(r"^\d+ % · Sirene$"))
    assert violations(page) == []


def test_nothing_moves_while_numbers_change(page: Page, product: Product) -> None:
    started(product, HEAVY)
    expect_state(page, HEAVY, "downloading")
    expect(row(page, HEAVY)).to_contain_text(re.compile(r"\ds left"))
    page.evaluate(
        """() => {
            window.shifts = [];
            new PerformanceObserver(list => window.shifts.push(...list.getEntries()))
                .observe({type: "layout-shift"});
        }"""
    )
    line = row(page, HEAVY).locator("[data-done]")
    for _ in range(4):
        done = line.get_attribute("data-done") or ""
        expect(line).not_to_have_attribute("data-done", done)
    assert page.evaluate("window.shifts.length") == 0


def test_a_paused_pull_keeps_its_bytes_over_a_reload_and_goes_on(
    page: Page, product: Product
) -> None:
    started(product, HEAVY)
    assert until_true(lambda: has_bytes(product, HEAVY))
    row(page, HEAVY).get_by_role("button", name=re.compile("^Pause")).click()
    expect_state(page, HEAVY, "paused")
    expect(row(page, HEAVY)).to_contain_text("Paused")
    done = model(product, HEAVY)["transfer"]["done_bytes"]
    assert done > 0
    assert violations(page) == []
    page.reload()
    expect_state(page, HEAVY, "paused")
    expect(row(page, HEAVY).locator("[data-done]")).to_have_attribute("data-done", str(done))
    row(page, HEAVY).get_by_role("button", name=re.compile("^Resume")).click()
    expect_state(page, HEAVY, "downloading")
    assert until_true(lambda: model(product, HEAVY)["transfer"]["done_bytes"] >= done)


def test_a_reload_and_a_second_tab_show_the_same_pull(page: Page, product: Product) -> None:
    started(product, HEAVY)
    expect_state(page, HEAVY, "downloading")
    second = page.context.new_page()
    second.goto("/")
    expect_live(second)
    page.reload()
    for tab in (page, second):
        expect_state(tab, HEAVY, "downloading")
        expect(tab.locator("[data-queued]")).to_have_count(1)
    queued(second, HEAVY).get_by_role("button", name=re.compile("^Pause")).click()
    for tab in (page, second):
        expect_state(tab, HEAVY, "paused")


def test_a_cancel_deletes_what_came_or_keeps_it(page: Page, product: Product) -> None:
    started(product, HEAVY)
    expect(row(page, HEAVY)).to_contain_text(re.compile(r"\ds left"))
    row(page, HEAVY).get_by_role("button", name=re.compile("^Cancel")).click()
    dialog = page.get_by_role("dialog")
    assert violations(page) == []
    dialog.get_by_role("button", name="Go on").click()
    expect_state(page, HEAVY, "downloading")
    row(page, HEAVY).get_by_role("button", name=re.compile("^Cancel")).click()
    dialog.get_by_role("button", name="Stop and keep").click()
    expect_state(page, HEAVY, "absent")
    expect(row(page, HEAVY)).to_contain_text("already here")
    dialog = open_install(page, HEAVY)
    expect(dialog).to_contain_text("the rest of 24.0 MB")
    confirm(dialog)
    expect(row(page, HEAVY)).to_contain_text(re.compile(r"\ds left"))
    row(page, HEAVY).get_by_role("button", name=re.compile("^Cancel")).click()
    dialog.get_by_role("button", name=re.compile("^Stop and delete")).click()
    expect_state(page, HEAVY, "absent")
    expect(row(page, HEAVY)).not_to_contain_text("already here")
    assert product.get("/api/downloads/parts")["parts"] == []


def test_what_was_kept_can_be_deleted(page: Page, product: Product) -> None:
    started(product, HEAVY)
    assert until_true(lambda: has_bytes(product, HEAVY))
    product.http.post(f"/api/models/{HEAVY}/cancel?keep=true").raise_for_status()
    expect(page.locator("[data-leftovers]")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Delete them").click()
    expect(page.locator("[data-leftovers]")).to_have_count(0)
    assert product.get("/api/downloads/parts")["parts"] == []


def test_the_queue_is_seen_and_put_in_order(page: Page, product: Product) -> None:
    started(product, HEAVY, F5, QWEN, QWEN_DESIGN, KOKORO)
    waiting = (QWEN, QWEN_DESIGN, KOKORO)
    expect(page.locator("[data-queue]")).to_contain_text("2 running · 3 waiting")
    expect(row(page, QWEN)).to_contain_text("Next in the queue")
    expect(row(page, KOKORO)).to_contain_text("Number 3 in the queue")
    assert violations(page) == []
    ids = page.locator("[data-queued][data-state=queued]")
    expect(ids).to_have_count(3)
    order = "all => all.map(one => one.dataset.queued)"
    assert ids.evaluate_all(order) == list(waiting)
    queued(page, KOKORO).get_by_role("button", name=re.compile("^Move up")).click()
    expect(row(page, KOKORO)).to_contain_text("Number 2 in the queue")
    row(page, QWEN_DESIGN).get_by_role("button", name=re.compile("^Start first")).click()
    expect(row(page, QWEN_DESIGN)).to_contain_text("Next in the queue")
    assert ids.evaluate_all(order) == [QWEN_DESIGN, QWEN, KOKORO]


def test_all_pulls_are_paused_resumed_and_cancelled_together(page: Page, product: Product) -> None:
    started(product, HEAVY, F5, QWEN)
    queue = page.locator("[data-queue]")
    expect(queue).to_contain_text("2 running · 1 waiting")
    queue.get_by_role("button", name="Pause all").click()
    expect(queue).to_contain_text("3 paused")
    queue.get_by_role("button", name="Resume all").click()
    expect(queue).to_contain_text("2 running · 1 waiting")
    queue.get_by_role("button", name="Cancel all").click()
    dialog = page.get_by_role("dialog")
    assert violations(page) == []
    dialog.get_by_role("button", name=re.compile("^Stop( and delete|$)")).last.click()
    expect(queue).to_have_count(0)
    for model_id in (HEAVY, F5, QWEN):
        expect_state(page, model_id, "absent")


def test_a_pull_that_gets_no_bytes_says_so(page: Page, product: Product, hub: Hub) -> None:
    hub.fault(HEAVY_FILE, *(Fault(stall_at=at) for at in range(0, 24_000_000, 500_000)))
    started(product, HEAVY)
    expect(row(page, HEAVY).locator("[data-stalled]")).to_be_visible(timeout=15_000)
    expect(row(page, HEAVY)).to_contain_text("Stalled")
    assert violations(page) == []


def test_the_page_recovers_by_itself_from_a_killed_api_and_the_pull_has_gone_on(
    new_page: NewPage, product: Product
) -> None:
    page = new_page()
    started(product, HEAVY)
    expect(row(page, HEAVY)).to_contain_text(re.compile(r"\ds left"))
    before = int(row(page, HEAVY).locator("[data-done]").get_attribute("data-done") or 0)
    for process in product.processes("sirene_api"):
        process.kill()
    expect(page.locator("[data-link]")).to_have_attribute("data-link", "lost")
    expect(page.locator("[data-link]")).to_have_attribute("data-link", "open", timeout=30_000)
    expect_state(page, HEAVY, "downloading")
    assert model(product, HEAVY)["transfer"]["done_bytes"] >= before
    expect(row(page, HEAVY)).to_contain_text(re.compile(r"\ds left"))


def test_a_gated_model_without_a_token_says_what_to_do(page: Page, hub: Hub) -> None:
    gated = source_of(GATED)
    hub.fault(gated, Fault(status=401, heads=True, headers={"X-Error-Code": "GatedRepo"}))
    dialog = open_install(page, GATED)
    expect(dialog.locator("[data-error]")).to_have_attribute("data-error", "hub_unauthorized")
    expect(dialog).to_contain_text("This model needs a token")
    expect(dialog.get_by_role("button", name="Install", exact=True)).to_have_count(0)
    assert violations(page) == []
    dialog.get_by_role("link", name="Open settings").click()
    expect(page).to_have_url(re.compile("/settings$"))
    hub.fault(gated)
