"""What is around every page: the way between them, by mouse and by keyboard; themes; news."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.web.conftest import NewPage, expect_live
from tests.support import browser
from tests.support.families import HEAVY, LESSAC, SIWIS, source_of
from tests.support.hub import Fault, Hub
from tests.support.product import Product
from tests.support.waiting import until_true

PAGES = {"/": "Models", "/playground": "Playground", "/memory": "Memory", "/settings": "Settings"}
# More than any page here has; a walk that never ends is a trap.
MOST_STOPS = 120
FOCUS = """() => {
  const it = document.activeElement;
  const shown = it.closest('label') ?? it;
  const box = shown.getBoundingClientRect();
  return {
    name: it.textContent.trim() || it.getAttribute('aria-label') || it.id,
    outlined: [it, shown].some((one) => getComputedStyle(one).outlineStyle !== 'none'),
    seen: box.width > 1 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth,
  };
}"""


@pytest.fixture
def heavy_download(product: Product, hub: Hub) -> Iterator[None]:
    """A pull that is under way for as long as a test looks."""
    hub.fault(source_of(HEAVY), Fault(rate_bytes_s=60_000))
    product.http.post(f"/api/models/{HEAVY}/pull").raise_for_status()
    yield
    product.http.post(f"/api/models/{HEAVY}/cancel")
    hub.fault(source_of(HEAVY))


def test_the_start_page_is_live_and_leads_to_every_other(page: Page) -> None:
    for name in ("Playground", "Memory", "Settings", "Models"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible_in_both_themes(new_page: NewPage, width: int) -> None:
    # Without motion: colours that are half way to the other theme have no contrast of their own.
    page = new_page(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    for path, heading in PAGES.items():
        page.goto(path)
        expect_live(page)
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            expect(page.locator("html")).to_have_attribute("data-theme", scheme)
            assert browser.violations(page) == [], (path, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_who_wants_no_motion_sees_the_other_theme_at_once(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce", color_scheme="light")
    colours = page.evaluate(
        """() => {
            const link = document.querySelector("header a"), style = getComputedStyle(link);
            const light = style.color;
            document.documentElement.dataset.theme = "dark";
            return [light, style.color, getComputedStyle(document.documentElement).color];
        }"""
    )
    light, dark, around = colours
    assert dark == around
    assert dark != light


def test_a_french_browser_gets_french(new_page: NewPage) -> None:
    page = new_page(locale="fr-FR")
    expect(page.get_by_role("link", name="Réglages")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_an_unknown_address_says_so_and_leads_back(new_page: NewPage) -> None:
    page = new_page("/nowhere")
    expect(page.get_by_role("heading", level=1, name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="To the models").click()
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()


def test_free_space_on_the_models_volume_is_in_the_header(page: Page, product: Product) -> None:
    expect(page.locator("[data-free]")).to_have_text(re.compile(r"\d [GT]B free$"))
    (volume,) = product.get("/api/storage")["volumes"]
    shown = float(page.locator("[data-free]").get_attribute("data-free") or 0)
    assert abs(shown - volume["free_bytes"]) < volume["total_bytes"] / 10


def test_every_page_is_reached_and_left_by_keyboard_alone(page: Page) -> None:
    for heading in ("Playground", "Memory", "Settings", "Models"):
        page.reload()
        expect_live(page)
        press_until(page, heading)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()


def test_the_first_stop_skips_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    assert page.evaluate(FOCUS) == {"name": "Skip to the content", "outlined": True, "seen": True}
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("path", list(PAGES))
def test_whoever_walks_by_keyboard_sees_where_they_are(new_page: NewPage, path: str) -> None:
    page = new_page(path)
    expect(page.locator("[data-free]")).to_be_visible()
    names: list[str] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stop = page.evaluate(FOCUS)
        assert stop["outlined"], stop
        assert stop["seen"], stop
        names.append(stop["name"])
    assert names[:6] == ["Skip to the content", "Sirene", *PAGES.values()]
    assert len(names) < MOST_STOPS


def test_the_tab_tells_how_far_a_download_is(
    page: Page, product: Product, heavy_download: None
) -> None:
    expect(page).to_have_title(re.compile(r"^\d+ % · Sirene$"))
    product.http.post(f"/api/models/{HEAVY}/cancel").raise_for_status()
    expect(page).to_have_title("Sirene")


def test_an_install_that_ends_is_told_once_and_not_again_after_a_reload(
    page: Page, product: Product
) -> None:
    told = page.get_by_text(f"{LESSAC} is installed", exact=True)
    product.pull(LESSAC)
    expect(told).to_have_count(1)
    # Going to another page and back tells nothing anew.
    page.get_by_role("navigation").get_by_role("link", name="Memory").click()
    expect(told).to_have_count(1)
    page.reload()
    expect_live(page)
    product.pull(SIWIS)
    expect(page.get_by_text(f"{SIWIS} is installed", exact=True)).to_have_count(1)
    expect(told).to_have_count(0)
    assert browser.violations(page) == []


def test_nothing_moves_for_those_who_asked_for_no_motion(
    new_page: NewPage, heavy_download: None
) -> None:
    page = new_page(reduced_motion="reduce")
    expect(page).to_have_title(re.compile("%"))
    running = "document.getAnimations().filter((one) => one.playState === 'running').length"
    for name in ("Playground", "Memory", "Models"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        assert until_true(lambda: page.evaluate(running) == 0)


def press_until(page: Page, name: str) -> None:
    """Tab to the link of this name in the header."""
    for _ in range(len(PAGES) + 2):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == name:
            return
    raise AssertionError(f"no stop on the way is {name!r}")
