"""The start page: what there is, how it is found, and the first voice of a new machine."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import NewPage, expect_path
from tests.e2e.web.models_page import (
    begin_afresh,
    confirm,
    details,
    expect_state,
    model,
    open_install,
    row,
    violations,
)
from tests.support.families import F5, GATED, HEAVY, HEAVY_BYTES, KOKORO, LESSAC, QWEN, SIWIS
from tests.support.hub import Hub
from tests.support.product import Product


@pytest.fixture(autouse=True)
def fresh(product: Product, hub: Hub) -> None:
    begin_afresh(product, hub)


def test_the_first_visit_offers_a_voice_in_the_readers_language_and_leads_to_hearing_it(
    new_page: NewPage,
) -> None:
    page = new_page(locale="fr-FR")
    offer = page.locator("[data-first-run]")
    expect(offer).to_contain_text("fr_FR-siwis-medium")
    expect(offer).to_contain_text("CC-BY-4.0")
    assert violations(page) == []
    offer.get_by_role("button", name="Installer").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Installer", exact=True).click()
    expect(offer).to_contain_text("piper:fr_FR-siwis-medium est prêt", timeout=20_000)
    assert violations(page) == []
    offer.get_by_role("link", name="Faire un essai").click()
    expect_path(page, "/playground?model=piper")


def test_an_english_reader_is_offered_an_english_voice(page: Page) -> None:
    expect(page.locator("[data-first-run]")).to_contain_text("en_US-lessac-medium")


def test_where_something_is_installed_nothing_is_offered(
    product: Product, new_page: NewPage
) -> None:
    product.pull(SIWIS)
    page = new_page()
    expect_state(page, SIWIS, "installed")
    expect(page.locator("[data-first-run]")).to_have_count(0)


def test_families_show_their_variants_with_exact_bytes_memory_licence_and_voices(
    page: Page, product: Product
) -> None:
    for family in ("Piper", "Kokoro-82M", "Qwen3-TTS by Alibaba", "F5-TTS"):
        expect(page.get_by_role("heading", level=2, name=family, exact=True)).to_be_visible()
    heavy = row(page, HEAVY)
    size = model(product, HEAVY)["size_bytes"]
    assert size == HEAVY_BYTES + 2
    expect(heavy.locator("[data-bytes]")).to_have_attribute("data-bytes", str(size))
    expect(heavy.locator("[data-bytes]")).to_have_attribute("title", f"{size:,} bytes")
    expect(heavy).to_contain_text("24.0 MB")
    expect(heavy).to_contain_text("CC0-1.0")
    expect(heavy.locator("[data-fits]")).to_have_attribute("data-fits", "true")
    expect(row(page, F5)).to_contain_text("non-commercial")
    expect(row(page, GATED)).to_contain_text("Gated")
    voices = len(model(product, KOKORO)["voices"])
    expect(row(page, KOKORO)).to_contain_text(f"{voices} voices")
    expect(row(page, QWEN)).to_contain_text("10 languages")
    expect(details(page, QWEN)).to_contain_text("Chinese, English, Japanese, Korean, German")
    assert violations(page) == []


def test_search_and_filters_stand_in_the_address_and_are_counted(
    page: Page, new_page: NewPage
) -> None:
    found = page.locator("[data-found]")
    expect(found).to_have_text(re.compile(r"^\d+ models$"))
    page.get_by_role("searchbox").fill("france siwis")
    expect(found).to_have_text("1 model found")
    expect(row(page, SIWIS)).to_be_visible()
    expect(row(page, LESSAC)).to_have_count(0)
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Language").select_option("French")
    expect(row(page, LESSAC)).to_have_count(0)
    page.get_by_label("Kind").select_option("Preset voices")
    page.get_by_label("Licence").select_option("Not marked non-commercial")
    page.get_by_role("button", name="Fits in memory").click()
    expect(found).to_have_text("3 models found")
    for part in ("language=fr", "capability=preset", "license=commercial", "fits=true"):
        expect_path(page, part)
    again = new_page(page.url.partition("//")[2].partition("/")[2].join(("/", "")))
    expect(again.locator("[data-found]")).to_have_text("3 models found")
    expect(again.get_by_role("button", name="Fits in memory")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_search_that_finds_nothing_offers_to_clear_it(page: Page) -> None:
    page.get_by_role("searchbox").fill("klingon")
    empty = page.get_by_text("No model matches")
    expect(empty).to_be_visible()
    assert violations(page) == []
    page.get_by_role("main").get_by_role("button", name="Clear filters").last.click()
    expect(empty).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(row(page, SIWIS)).to_be_visible()


def test_installed_alone_are_shown_on_request(product: Product, page: Page) -> None:
    product.pull(LESSAC)
    expect_state(page, LESSAC, "installed")
    page.get_by_role("button", name="Installed", exact=True).click()
    expect(page.locator("[data-found]")).to_have_text("1 model found")
    expect(page.locator("[data-model]")).to_have_count(1)


def test_the_smallest_voice_is_one_confirmation_away_and_then_speaks(page: Page) -> None:
    dialog = open_install(page, SIWIS)
    expect(dialog).to_contain_text(re.compile(r"Needs .+, .+ free"))
    expect(dialog.get_by_role("checkbox")).to_have_count(0)
    assert violations(page) == []
    confirm(dialog)
    expect_state(page, SIWIS, "installed")
    expect(row(page, SIWIS)).to_contain_text("Installed")
    row(page, SIWIS).get_by_role("link", name=f"Let {SIWIS} speak").click()
    expect_path(page, "/playground?model=")


def test_a_non_commercial_licence_is_confirmed_before_the_pull(page: Page) -> None:
    dialog = open_install(page, F5)
    install = dialog.get_by_role("button", name="Install", exact=True)
    expect(install).to_be_disabled()
    expect(dialog).to_contain_text("CC-BY-NC-4.0")
    assert violations(page) == []
    dialog.get_by_role("checkbox", name=re.compile("no commercial use")).check()
    confirm(dialog)
    expect_state(page, F5, "installed")


def test_a_model_in_memory_says_so(product: Product, page: Page) -> None:
    product.pull(SIWIS)
    product.http.post(f"/api/models/{SIWIS}/load").raise_for_status()
    expect(row(page, SIWIS)).to_contain_text("In memory")
    product.http.post(f"/api/models/{SIWIS}/unload").raise_for_status()
    expect(row(page, SIWIS)).not_to_contain_text("In memory")


def test_a_delete_names_the_bytes_it_frees_and_gives_them_back(
    product: Product, page: Page
) -> None:
    product.pull(KOKORO)
    expect_state(page, KOKORO, "installed")
    told = f"{model(product, KOKORO)['installed_bytes'] / 1e6:.1f} MB"
    details(page, KOKORO).get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"This frees {told}")
    assert violations(page) == []
    dialog.get_by_role("button", name=f"Delete {told}").click()
    expect_state(page, KOKORO, "absent")
    expect(dialog).to_have_count(0)


def test_files_are_compared_byte_for_byte_on_request(product: Product, page: Page) -> None:
    product.pull(KOKORO)
    expect_state(page, KOKORO, "installed")
    details(page, KOKORO).get_by_role("button", name="Check files").click()
    expect(page.locator("[data-verified]")).to_have_attribute("data-verified", "true")
    assert violations(page) == []
