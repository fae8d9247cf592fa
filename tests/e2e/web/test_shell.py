"""What is around every page: the way between them, the live mark, themes and languages."""

from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import NewPage
from tests.support import browser


def test_the_start_page_is_live_and_leads_to_every_other(page: Page) -> None:
    for name in ("Playground", "Memory", "Settings", "Models"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    assert browser.violations(page) == []


def test_a_french_browser_gets_french(new_page: NewPage) -> None:
    page = new_page(locale="fr-FR")
    expect(page.get_by_role("link", name="Réglages")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_an_unknown_address_says_so_and_leads_back(new_page: NewPage) -> None:
    page = new_page("/nowhere")
    expect(page.get_by_role("heading", level=1, name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="To the models").click()
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()
