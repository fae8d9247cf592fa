"""The settings page: this browser's looks, the hub's token, and what is in force."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.web.conftest import NewPage
from tests.e2e.web.models_page import expect_state, row
from tests.support import browser
from tests.support.families import SIWIS
from tests.support.hub import Hub
from tests.support.product import Product

# A minute half a day from now, so that it is outside them for as long as this runs.
HOURS = "-".join(
    f"{datetime.now(UTC).astimezone() + timedelta(hours=12, minutes=minutes):%H:%M}"
    for minutes in (0, 1)
)
GOOD, WRONG = "hf_GoodToken0123456789", "hf_WrongToken987654321"


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    return {
        "SIRENE_CONNECTIONS": "8",
        "INFERENCE_KEEP_ALIVE": "90s",
        "SIRENE_PULL_HOURS": HOURS,
    }


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page("/settings")


@pytest.fixture
def gated_hub(hub: Hub, product: Product) -> Iterator[Hub]:
    hub.token = GOOD
    yield hub
    hub.token, hub.has_api = "", True
    product.http.delete("/api/settings/hub-token").raise_for_status()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390), ("light", 320)])
def test_it_reads_well_on_every_screen(new_page: NewPage, scheme: str, width: int) -> None:
    page = new_page("/settings", color_scheme=scheme, viewport={"width": width, "height": 800})
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    assert browser.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_theme_and_language_change_at_once_also_in_another_tab_and_stay(new_page: NewPage) -> None:
    page = new_page("/settings", color_scheme="light", locale="en-US")
    other = new_page("/memory", context=page.context)
    page.get_by_role("radio", name="Dark").check()
    page.get_by_role("radio", name="Français").check()
    for one in (page, other):
        expect(one.locator("html")).to_have_attribute("data-theme", "dark")
        expect(one.locator("html")).to_have_attribute("lang", "fr")
    expect(other.get_by_role("heading", level=1)).to_have_text("Mémoire")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Réglages")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("group", name="Thème").get_by_role("radio", name="Système").check()
    expect(other.locator("html")).to_have_attribute("data-theme", "light")


def test_an_accepted_token_is_kept_and_never_shown_again(
    page: Page, gated_hub: Hub, product: Product
) -> None:
    field = page.get_by_label("Hugging Face token")
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_attribute("autocomplete", "off")
    expect(token_in_use(page)).to_have_attribute("data-token", "none")
    give(page, GOOD)
    expect(page.get_by_text("The hub accepts this token. It is saved.")).to_be_visible()
    expect(token_in_use(page)).to_have_attribute("data-token", "stored")
    expect(field).to_have_value("")
    assert browser.violations(page) == []
    page.reload()
    expect(token_in_use(page)).to_have_attribute("data-token", "stored")
    assert GOOD not in page.content()
    page.get_by_role("button", name="Remove the token").click()
    expect(token_in_use(page)).to_have_attribute("data-token", "none")
    expect(page.get_by_text("The saved token is removed.")).to_be_visible()
    assert settings(product)["downloaders"][0]["hub"]["token"]["source"] == "none"


def test_a_refused_token_is_not_kept(page: Page, gated_hub: Hub) -> None:
    give(page, WRONG)
    expect(page.get_by_text("The hub refuses this token")).to_be_visible()
    expect(token_in_use(page)).to_have_attribute("data-token", "none")
    expect(page.get_by_label("Hugging Face token")).to_have_value(WRONG)
    assert browser.violations(page) == []


def test_a_token_that_nobody_can_judge_is_kept_and_this_is_said(page: Page, gated_hub: Hub) -> None:
    gated_hub.has_api = False
    give(page, GOOD)
    expect(page.get_by_text("the hub could not be asked about it")).to_be_visible()
    expect(token_in_use(page)).to_have_attribute("data-token", "stored")


def test_limits_change_for_running_downloads_and_go_back_to_the_environments(
    page: Page, product: Product
) -> None:
    page.get_by_label("Models at a time").fill("3")
    page.get_by_label("Speed limit in MB/s").fill("2.5")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("SIRENE_PULLS says 2")).to_be_visible()
    expect(page.get_by_text("SIRENE_MAX_RATE says no limit")).to_be_visible()
    limits = product.get("/api/downloads/limits")
    assert (limits["pulls"], limits["max_rate"]) == (3, 2_500_000)
    page.reload()
    expect(page.get_by_label("Speed limit in MB/s")).to_have_value("2.5")
    page.get_by_role("button", name="Back to the environment’s values").click()
    expect(page.get_by_label("Models at a time")).to_have_value("2")
    expect(page.get_by_label("Connections to one host")).to_have_value("8")
    assert set(product.get("/api/downloads/limits").values()) == {None}


def test_what_is_in_force_names_the_variable_that_sets_it(page: Page, product: Product) -> None:
    for variable, value in (
        ("HF_ENDPOINT", settings(product)["downloaders"][0]["hub"]["endpoint"]["value"]),
        ("SIRENE_PULL_HOURS", HOURS),
        ("SIRENE_KEEP_PARTS", "72 hours"),
        ("INFERENCE_MAX_LOADED_MODELS", "2"),
        ("INFERENCE_KEEP_ALIVE", "1m 30s"),
    ):
        fact = page.locator("dl > div").filter(has=page.get_by_text(variable, exact=True))
        expect(fact.locator("dd")).to_have_text(value)


def test_outside_the_hours_a_pull_waits_and_may_be_started_all_the_same(
    new_page: NewPage, product: Product
) -> None:
    page = new_page("/")
    product.http.post(f"/api/models/{SIWIS}/pull").raise_for_status()
    expect(row(page, SIWIS)).to_contain_text("Waits for the hours in which downloads run")
    assert browser.violations(page) == []
    row(page, SIWIS).get_by_role("button", name=f"Start now: {SIWIS}").click()
    expect_state(page, SIWIS, "installed")


def give(page: Page, token: str) -> None:
    page.get_by_label("Hugging Face token").fill(token)
    page.get_by_role("button", name="Save").first.click()


def token_in_use(page: Page) -> Locator:
    return page.locator("[data-token]")


def settings(product: Product) -> dict[str, Any]:
    answer: dict[str, Any] = product.get("/api/settings")
    return answer
