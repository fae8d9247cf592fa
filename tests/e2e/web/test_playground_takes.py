"""The history of takes that a browser keeps of the playground."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.web.conftest import NewPage
from tests.e2e.web.playground import (
    LOAD_MS,
    SENTENCE,
    at,
    downloaded,
    expect_speech,
    player,
    samples,
    speak,
    stage,
)
from tests.support import browser
from tests.support.families import KOKORO, SIWIS
from tests.support.product import Product


@pytest.fixture(scope="module", autouse=True)
def _installed(product: Product) -> None:
    for model in (SIWIS, KOKORO):
        product.pull(model)


def takes(page: Page) -> Locator:
    return page.locator("[data-take]")


def test_a_take_survives_a_reload_and_can_be_heard_and_had_again(new_page: NewPage) -> None:
    page = new_page(at(KOKORO))
    speak(page)
    _, heard = expect_speech(page)
    expect(takes(page)).to_have_count(1)
    page.reload()
    expect(stage(page, "empty")).to_be_visible()
    page.get_by_role("button", name=f"Play “{SENTENCE}”").click()
    expect(player(page, "finished")).to_be_visible()
    _, again = downloaded(page)
    assert (again == heard).all()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download “{SENTENCE}”").click()
    assert download.value.suggested_filename.startswith("kokoro-v1.0-")
    _, again = samples(Path(download.value.path()).read_bytes())
    assert (again == heard).all()


def test_a_take_is_seen_in_another_tab_too(new_page: NewPage) -> None:
    page = new_page(at(SIWIS))
    other = new_page("/playground", context=page.context)
    speak(page)
    expect(takes(other)).to_have_count(1)
    other.get_by_role("button", name=f"Delete “{SENTENCE}”").click()
    expect(takes(page)).to_have_count(0)


def test_the_settings_of_a_take_come_back(new_page: NewPage) -> None:
    page = new_page(at(KOKORO))
    page.get_by_label("Language").select_option("fr")
    page.get_by_label("Speed as a number").fill("2")
    speak(page, "Bonjour.")
    expect(takes(page)).to_have_count(1)
    page.get_by_label("Model").select_option(SIWIS)
    page.get_by_label("Speed as a number").fill("1")
    page.get_by_role("textbox", name="Text", exact=True).fill("Another one.")
    page.get_by_role("button", name="Use the settings of “Bonjour.”").click()
    expect(page.get_by_label("Model")).to_have_value(KOKORO)
    expect(page.get_by_label("Language")).to_have_value("fr")
    expect(page.get_by_label("Speed as a number")).to_have_value("2")
    expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value("Bonjour.")


def test_takes_are_deleted_one_by_one_or_all_once_it_is_confirmed(new_page: NewPage) -> None:
    page = new_page(at(SIWIS))
    for count, text in enumerate(("One.", "Two.", "Three."), start=1):
        speak(page, text)
        expect(takes(page)).to_have_count(count, timeout=LOAD_MS)
    page.get_by_role("button", name="Delete “Two.”").click()
    expect(takes(page)).to_have_count(2)
    # The next one's, so that the keyboard does not begin at the top of the page again.
    expect(page.get_by_role("button", name="Delete “One.”")).to_be_focused()
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 takes with")
    assert browser.violations(page) == []
    page.get_by_role("button", name="Delete all").click()
    expect(page.get_by_text("No takes yet")).to_be_visible()
    page.reload()
    expect(page.get_by_text("No takes yet")).to_be_visible()


def test_the_oldest_takes_leave_when_there_are_more_than_fifty(new_page: NewPage) -> None:
    page = new_page(at(SIWIS))
    speak(page, "The last one.")
    expect(takes(page)).to_have_count(1)
    page.evaluate(
        """() => new Promise((resolve, reject) => {
          const opening = indexedDB.open("sirene", 1);
          opening.onsuccess = () => {
            const both = opening.result.transaction(["takes", "audio"], "readwrite");
            const reading = both.objectStore("takes").getAll();
            reading.onsuccess = () => {
              for (let age = 1; age <= 50; age++) {
                const old = { ...reading.result[0], id: `old-${age}`, at: 1e12 - age };
                both.objectStore("takes").put(old);
                both.objectStore("audio").put(new Int16Array(10), old.id);
              }
            };
            both.oncomplete = resolve;
            both.onabort = reject;
          };
        })"""
    )
    page.reload()
    expect(takes(page)).to_have_count(51)
    speak(page, "One more.")
    expect(takes(page).first).to_contain_text("One more.")
    expect(takes(page)).to_have_count(50)
    page.reload()
    expect(takes(page)).to_have_count(50)
    expect(page.locator("[data-take=old-48]")).to_have_count(1)
    expect(page.locator("[data-take=old-49]")).to_have_count(0)


def test_a_browser_that_refuses_storage_keeps_takes_until_the_page_is_left(
    new_context: Callable[..., BrowserContext], new_page: NewPage
) -> None:
    context = new_context()
    context.add_init_script("Object.defineProperty(globalThis, 'indexedDB', {value: undefined})")
    page = new_page(at(SIWIS), context=context)
    speak(page)
    expect(takes(page)).to_have_count(1)
    expect(page.get_by_text("they last until the page is left")).to_be_visible()
    page.get_by_role("button", name=f"Play “{SENTENCE}”").click()
    expect_speech(page)
